#include "service/api/recall_service.h"

#include <memory>
#include <optional>
#include <utility>

#include "igpt/ask_stream.h"
#include "igpt/error.h"

namespace igptd {
namespace {

namespace v1 = igpt::v1;

// co_await Readable(…): until there is something to read, or `patience` is at an end.
auto Readable(RecallService::AskCall& call, igpt::AskStream& stream, absl::Duration patience) {
  struct Awaiter {
    RecallService::AskCall& call;
    igpt::AskStream& stream;
    const absl::Duration patience;
    bool await_ready() const { return stream.Readable(); }
    void await_suspend(std::coroutine_handle<> waiting) {
      call.WaitStarts();
      stream.WaitReadable(patience, [this, waiting] {
        call.WaitEnds();
        waiting.resume();
      });
    }
    void await_resume() const {}
  };
  return Awaiter{call, stream, patience};
}

bool IsProperEnd(const igpt::AskResult& result) {
  return result.ok() && !result->has_value();
}

}  // namespace

RecallService::RecallService(RecallRequests& service, const HandlerContext& context, rpc::Loop& loop,
                             const rpc::CallEnvironment& environment, grpc::ServerCompletionQueue* incoming)
    : context_(context),
      ask_{"igpt.v1.RecallService/Ask",
           loop,
           environment,
           incoming,
           [&service](auto... args) { service.RequestAsk(args...); },
           [this](AskCall& call) { Ask(call); }},
      search_{"igpt.v1.RecallService/Search",
              loop,
              environment,
              incoming,
              [&service](auto... args) { service.RequestSearch(args...); },
              [this](SearchCall& call) { Search(call); }} {}

void RecallService::Accept() {
  AskCall::AcceptNext(ask_);
  SearchCall::AcceptNext(search_);
}

rpc::Task RecallService::Ask(AskCall& call) {
  if (std::optional<CallStatus> end = EndUnlessAllowed(context_, call, call.request().user())) {
    call.Finish(*std::move(end));
    co_return;
  }
  const std::unique_ptr<igpt::AskStream> stream =
      context_.client.recall().AskStream(FromProto(call.request()), OptionsFor(context_, call));
  call.OnStop([&stream] { stream->Cancel(); });

  v1::AskResponse response;
  std::optional<igpt::AskResult> next;  // read one ahead: gRPC is told what follows an event, if that is known already
  for (;;) {
    if (!next.has_value()) {
      co_await Readable(call, *stream, context_.heartbeat_interval);
      next = stream->TryRead();
    }
    const bool is_event = next.has_value();
    if (is_event) {
      if (!next->ok() || IsProperEnd(*next)) break;
      ToProto(std::move(**next).value(), &response);
      next = stream->TryRead();
      if (next.has_value() && IsProperEnd(*next)) {
        call.Finish(response);
        co_return;
      }
    } else {
      response.Clear();
      response.mutable_heartbeat();
    }
    const bool written = co_await call.Write(response, is_event, /*more=*/next.has_value());
    if (!written) {
      call.Finish(rpc::CancelledByCaller());
      co_return;
    }
  }
  call.Finish(ToCallStatus(next->status(), KeyOwnerOf(call)));
}

void RecallService::Search(SearchCall& call) {
  HandleUnary<igpt::SearchAnswer>(context_, call,
                                  [this](auto... args) { return context_.client.recall().Search(std::move(args)...); });
}

}  // namespace igptd
