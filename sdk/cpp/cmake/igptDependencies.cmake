# The libraries that igpt::sdk needs, and from which version on. The build includes this file, and so does the installed
# igptConfig.cmake, so that both ask for the same.

set(igpt_minimum_CURL 7.85)  # the first with CURLOPT_PROTOCOLS_STR
set(igpt_minimum_absl 20220623)  # the first with absl::AnyInvocable
set(igpt_minimum_nlohmann_json 3.11)  # the oldest that is tested, in Debian 12
set(igpt_minimum_simdjson 3.0)  # likewise

set(igpt_debian_CURL libcurl4-openssl-dev)
set(igpt_debian_absl libabsl-dev)
set(igpt_debian_nlohmann_json nlohmann-json3-dev)
set(igpt_debian_simdjson libsimdjson-dev)

# igpt_find(<problem> <package>...): finds the packages. If one is missing or too old, puts a sentence that says so into
# the variable <problem>, which is empty otherwise.
#
# It compares the versions itself: the packages of Abseil and libcurl refuse any version but their own, or another major
# one. A package without a version, such as Abseil's main branch, is taken for new enough.
function(igpt_find problem)
  set(found)
  foreach(package IN LISTS ARGN)
    find_package(${package} QUIET)
    set(version ${${package}_VERSION})
    if(NOT version)
      set(version ${${package}_VERSION_STRING})  # FindCURL's
    endif()
    if(NOT ${package}_FOUND)
      set(found "there is none that CMake finds")
    elseif(version AND version VERSION_LESS igpt_minimum_${package})
      set(found "CMake found ${version}")
    else()
      continue()
    endif()
    set(sentence "igpt::sdk needs the package ${package}, version ${igpt_minimum_${package}} or newer, but ${found}. Install \
it (on Debian and Ubuntu: apt install ${igpt_debian_${package}}), or say in CMAKE_PREFIX_PATH where it is.")
    break()
  endforeach()
  set(${problem} "${sentence}" PARENT_SCOPE)
endfunction()
