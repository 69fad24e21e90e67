// The handler of RPCs that stream their answer.
#pragma once

#include <coroutine>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "igpt/event_stream.h"
#include "igpt/unstable/on_loop.h"
#include "service/access/entry.h"
#include "service/api/handler_context.h"
#include "service/api/translate.h"
#include "service/contract/method_table.h"
#include "service/rpc/stream_call.h"
#include "service/rpc/task.h"

namespace igptd {

using OnLoop = igpt::unstable::OnLoop;

inline bool IsProperEnd(const igpt::EventResult& result) {
  return result.ok() && !result->has_value();
}

// co_await Readable(…): waits until there is something to read, but at most for `patience`.
inline auto Readable(rpc::Call& call, igpt::EventStream& stream, absl::Duration patience) {
  return rpc::Wait{[&stream] { return OnLoop::Readable(stream); },
                   [&call, &stream, patience](std::coroutine_handle<> reader) {
                     call.recorder().WaitStarts();
                     OnLoop::WaitReadable(stream, patience, [&call, reader] {
                       call.recorder().WaitEnds();
                       reader.resume();
                     });
                   },
                   [] {}};
}

// Calls the SDK's function for `method`, writes events as they arrive and heartbeats while none do, and ends the call
// as the stream ends.
template <typename... Types>
rpc::Task Handle(
    const StreamMethod<Types...>& method, const HandlerContext& context,
    rpc::StreamCall<typename StreamMethod<Types...>::Request, typename StreamMethod<Types...>::Response>& call) {
  auto api = (context.client.*method.api)();
  igpt::EventStream stream = call.request().whole_answer()
                                 ? method.start_whole(api, FromProto(call.request()), OptionsFor(context, call))
                                 : (api.*method.start)(FromProto(call.request()), OptionsFor(context, call));
  const auto finish = [&](const auto&... how) {
    call.record().attempts = stream.Info().attempts;
    call.Finish(how...);
  };
  call.OnStop([&stream] { stream.Cancel(); });

  typename StreamMethod<Types...>::Response response;
  std::optional<igpt::EventResult> next;  // read one ahead: gRPC can then be told whether more follows an event
  for (;;) {
    if (!next.has_value()) {
      co_await Readable(call, stream, context.heartbeat_interval);
      next = OnLoop::TryRead(stream);
    }
    const bool is_event = next.has_value();
    if (is_event) {
      if (!next->ok() || IsProperEnd(*next)) break;
      ToProto(std::move(**next).value(), response.mutable_event());
      next = OnLoop::TryRead(stream);
      if (next.has_value() && IsProperEnd(*next)) {
        finish(response);
        co_return;
      }
    } else {
      response.mutable_heartbeat();
    }
    const bool written = co_await call.Write(response, is_event, /*more=*/next.has_value());
    if (!written) {
      finish(CancelledByCaller());
      co_return;
    }
  }
  finish(ToCallStatus(next->status(), KeyOwnerOf(call)));
}

}  // namespace igptd
