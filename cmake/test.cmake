# Functions that define test programs, in tests/ and elsewhere.
find_package(GTest REQUIRED)

# igpt_add_test(<name> SOURCES <file>... [LIBS <target>...] [TIMEOUT <seconds>]): a test program, which ctest runs as
# <name>.
function(igpt_add_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gmock GTest::gtest_main igpt_compile)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()

# igptd_add_test(<name> [LIBS <target>...] [TIMEOUT <seconds>]): the same for <name>.cc, a test that starts igptd.
function(igptd_add_test name)
  igpt_add_test(${name} SOURCES ${name}.cc ${ARGN})
  target_link_libraries(${name} PRIVATE igptd_fixture)
  add_dependencies(${name} igptd)
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "IGPTD_BINARY=$<TARGET_FILE:igptd>")
endfunction()
