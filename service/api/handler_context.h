// What the handlers of all RPCs need.
#pragma once

#include "absl/time/time.h"
#include "igpt/client.h"
#include "igpt/options.h"
#include "service/rpc/call.h"

namespace igptd {

// One per loop.
struct HandlerContext {
  igpt::Client& client;               // on the same loop as the calls
  absl::Duration heartbeat_interval;  // infinite: off
  bool forward_faults = false;        // pass the metadata x-sandbox-fault on; only for the sandbox
};

// The options for the SDK: the call's deadline, request id and trace, the caller, and its own key if it has one.
igpt::CallOptions OptionsFor(const HandlerContext& context, rpc::Call& call);

}  // namespace igptd
