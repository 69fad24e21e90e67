# igpt_add_proto_library(<target> ROOT <dir> [GRPC] FILES <file>...): a library of the C++ code that protoc generates from
# the files, which are named relative to ROOT. With GRPC, also for their services.
# Newer versions have a package of their own, which gRPC's asks for, and which can't be found beside CMake's module.
set(CMAKE_FIND_PACKAGE_PREFER_CONFIG ON)
find_package(Protobuf REQUIRED)
unset(CMAKE_FIND_PACKAGE_PREFER_CONFIG)
find_package(gRPC CONFIG REQUIRED)

# Generates the code without compiling it, which is enough for editors.
add_custom_target(igpt_generated)

function(igpt_add_proto_library target)
  cmake_parse_arguments(ARG "GRPC" "ROOT" "FILES" ${ARGN})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/gen)
  file(MAKE_DIRECTORY ${out})
  set(sources)
  foreach(file ${ARG_FILES})
    string(REGEX REPLACE "\\.proto$" "" stem ${file})
    set(made ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    set(flags --cpp_out=${out})
    if(ARG_GRPC)
      list(APPEND made ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      list(APPEND flags --grpc_out=${out} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
    endif()
    add_custom_command(
      OUTPUT ${made}
      COMMAND protobuf::protoc ${flags} -I ${ARG_ROOT} ${ARG_ROOT}/${file}
      DEPENDS ${ARG_ROOT}/${file}
      COMMENT "protoc ${file}")
    list(APPEND sources ${made})
  endforeach()
  add_library(${target} STATIC ${sources})
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf)
  if(ARG_GRPC)
    target_link_libraries(${target} PUBLIC gRPC::grpc++)
  endif()
  add_custom_target(${target}_generated DEPENDS ${sources})
  add_dependencies(igpt_generated ${target}_generated)
endfunction()
