# Installs the SDK into a directory of its own, builds the consumer against what is there, and runs it.
#
#   cmake -D BUILD=<build tree> -D WORK=<directory> -D VERSION=<project's> -D BUILD_TYPE=… -D CXX_FLAGS=… -P package_test.cmake
set(prefix ${WORK}/prefix)
file(REMOVE_RECURSE ${WORK})

execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --component sdk
  COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
execute_process(COMMAND ${CMAKE_COMMAND} -G Ninja -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${WORK}/build
    -D CMAKE_PREFIX_PATH=${prefix} -D CMAKE_BUILD_TYPE=${BUILD_TYPE} -D CMAKE_CXX_FLAGS=${CXX_FLAGS} -D IGPT_VERSION=${VERSION}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK}/build/consumer OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
if(NOT version STREQUAL VERSION)
  message(FATAL_ERROR "The installed SDK says that it is ${version}, not ${VERSION}.")
endif()

if(NOT EXISTS ${prefix}/include/igpt/client.h OR EXISTS ${prefix}/include/igpt/internal)
  message(FATAL_ERROR "Not the public headers, and only those, were installed: ${prefix}/include")
endif()

# A user of the SDK must not get gRPC or protobuf with it: neither from the package, which would name them as libraries to
# link, nor at run time.
execute_process(COMMAND grep -rniE "grpc|protobuf" ${prefix} --include=*.cmake OUTPUT_VARIABLE named)
execute_process(COMMAND ldd ${WORK}/build/consumer OUTPUT_VARIABLE needed COMMAND_ERROR_IS_FATAL ANY)
string(APPEND named "${needed}")
string(TOLOWER "${named}" lower)
if(lower MATCHES "grpc|protobuf")
  message(FATAL_ERROR "The SDK brings gRPC or protobuf:\n${named}")
endif()
