// What the handlers of all RPCs share. One of these per loop.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "igpt/client.h"
#include "service/access/caller_gate.h"
#include "service/access/user_hash.h"
#include "service/api/translate.h"
#include "service/errors/errors.h"
#include "service/rpc/calls.h"

namespace igptd {

struct HandlerContext {
  igpt::Client& client;  // on the same loop as the calls
  const UserHash& user_hash;
  std::string default_user;
  absl::Duration heartbeat_interval;  // infinite: off
  bool forward_faults = false;        // pass the caller's x-sandbox-fault metadata on: for the sandbox only
};

// How a call ends whose caller may not act for the request's user; nullopt: it may. Notes the user's hash in the call's
// record. To be asked before anything else is done with a request.
std::optional<CallStatus> EndUnlessAllowed(const HandlerContext& context, rpc::ServerCall& call,
                                           const std::string& user);

// What a call tells the SDK beside its request: its deadline, its id, its trace, and the key if it isn't igptd's. Notes
// in the call's record where its requests are counted.
igpt::CallOptions OptionsFor(const HandlerContext& context, rpc::ServerCall& call);

// An RPC with one answer: starts it with `start`, a function that takes the SDK's request, options and callback, and
// ends the call with what comes.
template <typename Answer, typename Request, typename Response, typename Start>
void HandleUnary(const HandlerContext& context, rpc::UnaryCall<Request, Response>& call, Start start) {
  if (std::optional<CallStatus> end = EndUnlessAllowed(context, call, call.request().user())) {
    return call.Finish(*std::move(end));
  }
  igpt::PendingCall pending =
      start(FromProto(call.request()), OptionsFor(context, call), [&call](absl::StatusOr<Answer> answer) {
        call.WaitEnds();
        if (!answer.ok()) {
          return call.Finish(ToCallStatus(answer.status(), KeyOwnerOf(call)));
        }
        Response response;
        ToProto(*std::move(answer), &response);
        call.Finish(response);
      });
  call.WaitStarts();
  call.OnStop([pending]() mutable { pending.Cancel(); });
}

}  // namespace igptd
