# What is installed: the library, its public headers, and what find_package(igpt) and `pkg-config igpt` read; and as
# components of their own, which igptConfig.cmake finds beside it, what not every program needs.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/igpt)

# A program that links the static library links what that uses, too. The shared library brings it along.
if(type STREQUAL "SHARED_LIBRARY")
  set(package_dependencies absl)
  set(pkgconfig_abseil ${public_abseil})
else()
  set(package_dependencies absl CURL simdjson)
  set(pkgconfig_abseil ${public_abseil} ${private_abseil})
endif()

install(TARGETS igpt_sdk EXPORT igptTargets
  ARCHIVE COMPONENT sdk
  LIBRARY COMPONENT sdk NAMELINK_COMPONENT sdk)
install(DIRECTORY igpt ${CMAKE_CURRENT_BINARY_DIR}/igpt TYPE INCLUDE COMPONENT sdk
  FILES_MATCHING PATTERN "*.h" PATTERN internal EXCLUDE PATTERN testing EXCLUDE)
install(EXPORT igptTargets NAMESPACE igpt:: DESTINATION ${package_dir} COMPONENT sdk)

install(TARGETS igpt_testing EXPORT igpt_testing ARCHIVE COMPONENT testing)
install(DIRECTORY igpt/testing DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/igpt COMPONENT testing
  FILES_MATCHING PATTERN "*.h" PATTERN internal EXCLUDE)
install(EXPORT igpt_testing NAMESPACE igpt:: DESTINATION ${package_dir} COMPONENT testing)

configure_file(cmake/igptConfig.cmake.in igptConfig.cmake @ONLY)
# Before 1.0, a minor version may break compatibility.
write_basic_package_version_file(igptConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/igptDependencies.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/igptConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/igptConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT sdk)

# pkg-config's module of an Abseil library is called as the library is. All that has to be linked is in Requires, also of
# the static library: with Requires.private, plain `pkg-config --libs igpt` would not link, and with --static, libcurl asks
# for libraries that its package doesn't bring.
list(TRANSFORM pkgconfig_abseil REPLACE "(.+)" "absl_\\1 >= ${igpt_minimum_absl}" OUTPUT_VARIABLE pkgconfig_requires)
if(NOT type STREQUAL "SHARED_LIBRARY")
  list(APPEND pkgconfig_requires "libcurl >= ${igpt_minimum_CURL}" "simdjson >= ${igpt_minimum_simdjson}")
endif()
list(JOIN pkgconfig_requires ", " pkgconfig_requires)
# Relative to the file, so that the installed tree can be moved.
file(RELATIVE_PATH prefix_from_pkgconfig ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
set(pkgconfig_libdir "\${prefix}")
cmake_path(APPEND pkgconfig_libdir ${CMAKE_INSTALL_LIBDIR})
set(pkgconfig_includedir "\${prefix}")
cmake_path(APPEND pkgconfig_includedir ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(cmake/igpt.pc.in igpt.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/igpt.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)
