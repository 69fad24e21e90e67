// The way to igptd.
#pragma once

#include <grpcpp/channel.h>

#include <memory>

#include "client/credentials.h"
#include "client/interrupt.h"
#include "common_flags.h"

// A channel to igptd. Waits for an igptd that is still starting: for a minute, or --timeout if that is shorter, or
// until Ctrl-C. If there is still none, a call fails and says why.
std::shared_ptr<grpc::Channel> Connect(const CommonFlags& flags, const Credentials& credentials,
                                       const Interrupt& interrupt);
