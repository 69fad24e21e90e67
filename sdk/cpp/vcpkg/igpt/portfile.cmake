# A port for vcpkg of the sources that it lies in: vcpkg install igpt --overlay-ports=sdk/cpp/vcpkg
# vcpkg keeps what it built until a file beside this one changes; --no-binarycaching, with `vcpkg remove igpt`, builds again.
vcpkg_cmake_configure(SOURCE_PATH ${CURRENT_PORT_DIR}/../..)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/igpt)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/debug/include)
vcpkg_install_copyright(FILE_LIST ${CURRENT_PORT_DIR}/../../../../LICENSE)
