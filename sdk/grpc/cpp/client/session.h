// What a command needs to call igptd.
#pragma once

#include <grpc/support/time.h>
#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "client/interrupt.h"
#include "common_flags.h"

struct Session {
  const CommonFlags& flags;
  std::shared_ptr<grpc::Channel> channel;
  std::string token;      // empty: none
  gpr_timespec deadline;  // of everything that the command does
  Interrupt& interrupt;
};
