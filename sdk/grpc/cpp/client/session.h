// What a command needs to call igptd.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "client/interrupt.h"
#include "common_flags.h"

struct Session {
  const CommonFlags& flags;
  std::shared_ptr<grpc::Channel> channel;
  std::string token;    // empty: none
  absl::Time deadline;  // of everything that the command does
  Interrupt& interrupt;
};
