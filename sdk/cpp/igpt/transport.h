// What answers the calls of a Client: iGPT by HTTP, or something of the program's own, such as a fake in its tests.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "igpt/event_stream.h"
#include "igpt/options.h"
#include "igpt/types.h"

namespace igpt::inline sdk_v1 {

// The events of a streamed answer, pulled one after the other by one thread at a time.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // The next event; nullopt, the proper end; or the error that ends the stream. May block. Not called after the end.
  virtual EventResult Next() = 0;
};

// Takes the place of HTTP: see Client::Create. Each function answers a call of the same name, on a thread of the
// library's own, where it may block, and must be thread-safe. It gets a request that is valid and has a user, unless
// both it and Options::user have none.
//
// The client still keeps what it promises about a call: its deadline, its stop token, Cancel() and Close() end it at
// once for whoever made it, even if the transport has not returned. CallOptions::stop then tells the transport so; what
// it returns later is dropped. Nothing is repeated or held back, and answers and errors pass as they are; those of
// this library get the call's request id and times.
class Transport {
 public:
  virtual ~Transport() = default;

  // What is not overridden gives UNIMPLEMENTED.
  virtual absl::StatusOr<Answer> Ask(const AskRequest& request, const CallOptions& options);
  virtual absl::StatusOr<Answer> Run(const RunRequest& request, const CallOptions& options);
  // Not null.
  virtual std::unique_ptr<EventSource> AskStream(const AskRequest& request, const CallOptions& options);
  virtual std::unique_ptr<EventSource> RunStream(const RunRequest& request, const CallOptions& options);
  virtual absl::StatusOr<SearchAnswer> Search(const SearchRequest& request, const CallOptions& options);
  virtual absl::StatusOr<ListAnswer> List(const ListRequest& request, const CallOptions& options);
  virtual absl::StatusOr<DisconnectAnswer> Disconnect(const DisconnectRequest& request, const CallOptions& options);
  virtual absl::StatusOr<AuthorizeAnswer> Authorize(const AuthorizeRequest& request, const CallOptions& options);
};

}  // namespace igpt::inline sdk_v1
