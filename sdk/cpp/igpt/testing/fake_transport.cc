#include "igpt/testing/fake_transport.h"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

namespace igpt::testing {
namespace {

class ListedEvents final : public EventSource {
 public:
  // `wait`: whether the end comes only when `stop` is requested.
  ListedEvents(std::vector<RunEvent> events, absl::Status end, bool wait, std::stop_token stop)
      : events_(std::move(events)), end_(std::move(end)), wait_(wait), stop_(std::move(stop)) {}

  EventResult Next() override {
    if (next_ < events_.size()) return std::move(events_[next_++]);
    if (wait_) AwaitStop();
    if (!end_.ok()) return end_;
    return std::nullopt;
  }

 private:
  void AwaitStop() {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait(lock, stop_, [] { return false; });
  }

  std::vector<RunEvent> events_;
  const absl::Status end_;
  const bool wait_;
  const std::stop_token stop_;
  size_t next_ = 0;
};

// The function's result; without a function, the base's, which says that there is none.
template <typename Function, typename Request, typename Base>
auto Call(const Function& function, const Request& request, const CallOptions& options, Base base) {
  return function == nullptr ? base() : function(request, options);
}

}  // namespace

std::unique_ptr<EventSource> Events(std::vector<RunEvent> events, absl::Status end) {
  return std::make_unique<ListedEvents>(std::move(events), std::move(end), /*wait=*/false, std::stop_token());
}

std::unique_ptr<EventSource> Pieces(const std::vector<std::string>& pieces) {
  std::vector<RunEvent> events = {{.type = "run.start", .payload = RunStarted{}}};
  std::string text;
  for (const std::string& piece : pieces) {
    events.push_back({.type = "run.output_text.delta", .payload = Delta{piece}});
    text += piece;
  }
  events.push_back({.type = "run.done", .payload = Answer{.output = Text{std::move(text)}}});
  return Events(std::move(events));
}

std::unique_ptr<EventSource> EventsThenSilence(std::vector<RunEvent> events, const CallOptions& options) {
  return std::make_unique<ListedEvents>(std::move(events), absl::OkStatus(), /*wait=*/true, options.stop);
}

absl::StatusOr<Answer> FakeTransport::Ask(const AskRequest& request, const CallOptions& options) {
  return Call(ask, request, options, [&] { return Transport::Ask(request, options); });
}

absl::StatusOr<Answer> FakeTransport::Run(const RunRequest& request, const CallOptions& options) {
  return Call(run, request, options, [&] { return Transport::Run(request, options); });
}

std::unique_ptr<EventSource> FakeTransport::AskStream(const AskRequest& request, const CallOptions& options) {
  return Call(ask_stream, request, options, [&] { return Transport::AskStream(request, options); });
}

std::unique_ptr<EventSource> FakeTransport::RunStream(const RunRequest& request, const CallOptions& options) {
  return Call(run_stream, request, options, [&] { return Transport::RunStream(request, options); });
}

absl::StatusOr<SearchAnswer> FakeTransport::Search(const SearchRequest& request, const CallOptions& options) {
  return Call(search, request, options, [&] { return Transport::Search(request, options); });
}

absl::StatusOr<ListAnswer> FakeTransport::List(const ListRequest& request, const CallOptions& options) {
  return Call(list, request, options, [&] { return Transport::List(request, options); });
}

absl::StatusOr<DisconnectAnswer> FakeTransport::Disconnect(const DisconnectRequest& request,
                                                           const CallOptions& options) {
  return Call(disconnect, request, options, [&] { return Transport::Disconnect(request, options); });
}

absl::StatusOr<AuthorizeAnswer> FakeTransport::Authorize(const AuthorizeRequest& request, const CallOptions& options) {
  return Call(authorize, request, options, [&] { return Transport::Authorize(request, options); });
}

}  // namespace igpt::testing
