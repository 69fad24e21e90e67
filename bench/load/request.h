// The requests that are sent over and over, as bytes. Pure.
#pragma once

#include <string>

#include "bench/load/options.h"

namespace igpt::bench {

struct GrpcRequest {
  std::string scheme;
  std::string authority;
  std::string path;
  std::string message;  // with gRPC's prefix of five bytes
  bool is_ask;          // answered by AskResponses, which hold events
};

GrpcRequest MakeGrpcRequest(const Options& options);

// Head and body.
std::string MakeHttpRequest(const Options& options);

}  // namespace igpt::bench
