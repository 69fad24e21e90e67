#include "igpt/transport.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace igpt::inline sdk_v1 {
namespace {

absl::Status Unanswered(const char* function) {
  return absl::UnimplementedError(absl::StrCat("this transport does not answer ", function, ": override it"));
}

class Failing final : public EventSource {
 public:
  explicit Failing(absl::Status end) : end_(std::move(end)) {}
  EventResult Next() override { return end_; }

 private:
  const absl::Status end_;
};

}  // namespace

absl::StatusOr<Answer> Transport::Ask(const AskRequest& /*request*/, const CallOptions& /*options*/) {
  return Unanswered("Ask");
}

absl::StatusOr<Answer> Transport::Run(const RunRequest& /*request*/, const CallOptions& /*options*/) {
  return Unanswered("Run");
}

std::unique_ptr<EventSource> Transport::AskStream(const AskRequest& /*request*/, const CallOptions& /*options*/) {
  return std::make_unique<Failing>(Unanswered("AskStream"));
}

std::unique_ptr<EventSource> Transport::RunStream(const RunRequest& /*request*/, const CallOptions& /*options*/) {
  return std::make_unique<Failing>(Unanswered("RunStream"));
}

absl::StatusOr<SearchAnswer> Transport::Search(const SearchRequest& /*request*/, const CallOptions& /*options*/) {
  return Unanswered("Search");
}

absl::StatusOr<ListAnswer> Transport::List(const ListRequest& /*request*/, const CallOptions& /*options*/) {
  return Unanswered("List");
}

absl::StatusOr<DisconnectAnswer> Transport::Disconnect(const DisconnectRequest& /*request*/,
                                                       const CallOptions& /*options*/) {
  return Unanswered("Disconnect");
}

absl::StatusOr<AuthorizeAnswer> Transport::Authorize(const AuthorizeRequest& /*request*/,
                                                     const CallOptions& /*options*/) {
  return Unanswered("Authorize");
}

}  // namespace igpt::inline sdk_v1
