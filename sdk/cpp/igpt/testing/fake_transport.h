// A stand-in for iGPT in a program's unit tests, made of values: no sockets, no waiting.
//
//   auto fake = std::make_shared<igpt::testing::FakeTransport>();
//   fake->ask_stream = [](const igpt::AskRequest&, const igpt::CallOptions&) {
//     return igpt::testing::Pieces({"We will", " hire."});
//   };
//   absl::StatusOr<igpt::Client> client = igpt::Client::Create({.user = "ada"}, fake);
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "igpt/options.h"
#include "igpt/transport.h"
#include "igpt/types.h"

namespace igpt::testing {

// A stream of these events. Then it ends: properly, or with an error, e.g. MakeStatus(ErrorKind::kTruncated, "…").
std::unique_ptr<EventSource> Events(std::vector<RunEvent> events, absl::Status end = absl::OkStatus());

// A run that writes an answer in these pieces: its start, the pieces, and the whole answer.
std::unique_ptr<EventSource> Pieces(const std::vector<std::string>& pieces);

// A stream of these events. Then nothing comes any more, until the call is given up.
std::unique_ptr<EventSource> EventsThenSilence(std::vector<RunEvent> events, const CallOptions& options);

// Answers each call by the function of its name; UNIMPLEMENTED where there is none. They may be set as long as no call
// is under way. Each gets what Transport says, and runs on a thread of the library's own.
class FakeTransport : public Transport {
 public:
  template <typename Request, typename Result>
  using Function = std::function<Result(const Request& request, const CallOptions& options)>;

  Function<AskRequest, absl::StatusOr<Answer>> ask;
  Function<RunRequest, absl::StatusOr<Answer>> run;
  Function<AskRequest, std::unique_ptr<EventSource>> ask_stream;
  Function<RunRequest, std::unique_ptr<EventSource>> run_stream;
  Function<SearchRequest, absl::StatusOr<SearchAnswer>> search;
  Function<ListRequest, absl::StatusOr<ListAnswer>> list;
  Function<DisconnectRequest, absl::StatusOr<DisconnectAnswer>> disconnect;
  Function<AuthorizeRequest, absl::StatusOr<AuthorizeAnswer>> authorize;

  absl::StatusOr<Answer> Ask(const AskRequest& request, const CallOptions& options) override;
  absl::StatusOr<Answer> Run(const RunRequest& request, const CallOptions& options) override;
  std::unique_ptr<EventSource> AskStream(const AskRequest& request, const CallOptions& options) override;
  std::unique_ptr<EventSource> RunStream(const RunRequest& request, const CallOptions& options) override;
  absl::StatusOr<SearchAnswer> Search(const SearchRequest& request, const CallOptions& options) override;
  absl::StatusOr<ListAnswer> List(const ListRequest& request, const CallOptions& options) override;
  absl::StatusOr<DisconnectAnswer> Disconnect(const DisconnectRequest& request, const CallOptions& options) override;
  absl::StatusOr<AuthorizeAnswer> Authorize(const AuthorizeRequest& request, const CallOptions& options) override;
};

}  // namespace igpt::testing
