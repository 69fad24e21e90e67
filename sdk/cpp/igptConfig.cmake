# find_package(igpt): gives igpt::sdk.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(CURL)
find_dependency(absl)
find_dependency(simdjson)
include(${CMAKE_CURRENT_LIST_DIR}/igptTargets.cmake)
