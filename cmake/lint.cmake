# The target `lint` runs clang-tidy on each of our sources that this build compiles. It repeats that only after the object
# was compiled again (the source, a header or an option has changed) or the checks have changed. CMakeLists.txt includes
# this file last, when all targets are defined.

# Directories without their own .clang-tidy link to that of the tests.
set(lint_checks ${PROJECT_SOURCE_DIR}/.clang-tidy ${PROJECT_SOURCE_DIR}/tests/.clang-tidy)

add_custom_target(lint)

function(igpt_lint_source target directory source)
  file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${directory}/${source})
  set(stamp ${PROJECT_BINARY_DIR}/lint/${name}.stamp)
  get_target_property(stamps lint SOURCES)
  if(stamp IN_LIST stamps)
    return()  # another target compiles it too
  endif()
  cmake_path(GET stamp PARENT_PATH stamp_directory)
  file(MAKE_DIRECTORY ${stamp_directory})
  add_custom_command(
    OUTPUT ${stamp}
    # Clang doesn't know all of GCC's warning options, and only .clang-tidy decides what is an error.
    COMMAND ${IGPT_CLANG_TIDY} --quiet -p ${PROJECT_BINARY_DIR} --extra-arg=-Wno-unknown-warning-option
            --extra-arg=-Wno-error ${directory}/${source}
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS "$<FILTER:$<TARGET_OBJECTS:${target}>,INCLUDE,/${source}\\.o$>" ${lint_checks}
    COMMENT "clang-tidy ${name}")
  target_sources(lint PRIVATE ${stamp})
endfunction()

# The sources of all targets in the directory and its subdirectories.
function(igpt_lint_directory directory)
  get_property(subdirectories DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(subdirectory IN LISTS subdirectories)
    igpt_lint_directory(${subdirectory})
  endforeach()
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(sources ${target} SOURCES)
    list(FILTER sources INCLUDE REGEX "^[^/].*\\.cc$")  # generated code has absolute paths
    foreach(source IN LISTS sources)
      igpt_lint_source(${target} ${directory} ${source})
    endforeach()
  endforeach()
endfunction()

igpt_lint_directory(${PROJECT_SOURCE_DIR})
