// The handler of RPCs with a single answer.
#pragma once

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "igpt/client.h"
#include "igpt/error.h"
#include "service/access/entry.h"
#include "service/api/handler_context.h"
#include "service/api/translate.h"
#include "service/contract/method_table.h"
#include "service/rpc/unary_call.h"

namespace igptd {

// Calls the SDK's function for `method` and ends the call with the result.
template <typename... Types>
void Handle(const UnaryMethod<Types...>& method, const HandlerContext& context,
            rpc::UnaryCall<typename UnaryMethod<Types...>::Request, typename UnaryMethod<Types...>::Response>& call) {
  using Method = UnaryMethod<Types...>;
  igpt::PendingCall pending = ((context.client.*method.api)().*method.start)(
      FromProto(call.request()), OptionsFor(context, call), [&call](absl::StatusOr<typename Method::Answer> answer) {
        call.recorder().WaitEnds();
        if (!answer.ok()) {
          const std::optional<igpt::Error> error = igpt::ErrorOf(answer.status());
          if (error.has_value()) call.record().attempts = error->call.attempts;
          return call.Finish(ToCallStatus(answer.status(), KeyOwnerOf(call)));
        }
        call.record().attempts = answer->call.attempts;
        typename Method::Response response;
        ToProto(*std::move(answer), &response);
        call.Finish(response);
      });
  call.recorder().WaitStarts();
  call.OnStop([pending]() mutable { pending.Cancel(); });
}

}  // namespace igptd
