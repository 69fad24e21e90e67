// How igpt and igptd recognize each other: TLS and a token.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common_flags.h"

struct Credentials {
  std::shared_ptr<grpc::ChannelCredentials> channel;
  std::string token;  // empty: none
};

// Reads the files that the flags name, or the environment variable IGPT_TOKEN. A token that others could read on its
// way is an error: it goes only over TLS, or to this machine. An error says what is wrong.
absl::StatusOr<Credentials> ReadCredentials(const CommonFlags& flags);

// Whether "host:port" is this machine.
bool IsLoopback(std::string_view server);
