# How our own code is compiled. Each of our targets links igpt_compile privately.
find_package(Threads REQUIRED)

add_library(igpt_compile INTERFACE)
target_compile_options(igpt_compile INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  $<$<BOOL:${IGPT_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside the standard library's own inlined code (GCC bugs 105329, 105651).
  target_compile_options(igpt_compile INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()

# Release builds are hardened: stack smashing and buffer overruns abort the program, addresses are random, and the
# loader's tables are read-only after start.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  include(CheckPIESupported)
  check_pie_supported()
  # Ubuntu's compiler defines _FORTIFY_SOURCE itself.
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(LINKER:-z,relro,-z,now)
endif()

if(IGPT_SANITIZE)
  add_compile_options(-fsanitize=${IGPT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${IGPT_SANITIZE})
endif()

# For programs that run gRPC: options for the sanitizers.
add_library(igpt_grpc_sanitizing INTERFACE)
if(IGPT_SANITIZE STREQUAL "thread")
  add_library(igpt_tsan_options OBJECT cmake/tsan_options.cc)
  target_link_libraries(igpt_grpc_sanitizing INTERFACE $<TARGET_OBJECTS:igpt_tsan_options>)
endif()

# Compile through ccache if it is installed.
find_program(CCACHE_PROGRAM ccache)
mark_as_advanced(CCACHE_PROGRAM)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
