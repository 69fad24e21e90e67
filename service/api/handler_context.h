// What the handlers of all RPCs share.
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
  bool forward_faults = false;        // pass the caller's x-sandbox-fault metadata on: for the sandbox only
};

// What a call tells the SDK beside its request: its deadline, its id, its trace, and the key if it isn't igptd's. Notes
// in the call's record where its requests are counted.
igpt::CallOptions OptionsFor(const HandlerContext& context, rpc::Call& call);

}  // namespace igptd
