// The iGPT client.
//
//   absl::StatusOr<std::unique_ptr<igpt::Client>> client = igpt::Client::Create({.api_key = key, .user = "ada"});
//   absl::StatusOr<igpt::Answer> answer = (*client)->recall().Ask({.input = "What did we decide about the budget?"});
//
//   std::unique_ptr<igpt::EventStream> stream = (*client)->recall().AskStream({.input = "…"});
//   for (igpt::EventResult event = stream->Read(); event.ok() && event->has_value(); event = stream->Read()) { … }
//
// Every call has a blocking form, which waits, and an asynchronous one, which takes a callback. Callbacks run on the
// client's event loop, never before the call returned, exactly once; they must not block. An invalid request (see
// error.h, kInvalidRequest) fails without anything being sent. No function throws.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "igpt/event_loop.h"
#include "igpt/event_stream.h"
#include "igpt/options.h"
#include "igpt/types.h"

namespace igpt {

namespace internal {
class Cancellable;
struct ClientCore;
template <typename Request, typename Answer>
struct Endpoint;
}  // namespace internal

template <typename Answer>
using Callback = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;

// A call that was started with a callback. Destroying it does not affect the call. It may outlive the call, but not the
// Client.
class PendingCall {
 public:
  PendingCall() = default;

  // Aborts the request at once, in every phase; the callback then gets kAborted, unless the answer was there first.
  // From any thread.
  void Cancel();

 private:
  friend class Client;
  PendingCall(EventLoop& loop, std::shared_ptr<std::weak_ptr<internal::Cancellable>> call)
      : loop_(&loop), call_(std::move(call)) {}

  EventLoop* loop_ = nullptr;
  std::shared_ptr<std::weak_ptr<internal::Cancellable>> call_;  // touched on the loop's thread only
};

class Client;

// Questions over a user's mail and documents.
class Recall {
 public:
  // The whole answer. Repeated on network errors, 429 and 5xx.
  absl::StatusOr<Answer> Ask(AskRequest request, CallOptions options = {});
  PendingCall Ask(AskRequest request, CallOptions options, Callback<Answer> done);

  // The answer while it is written. Repeated on the same errors, as long as no event came. Never null.
  std::unique_ptr<EventStream> AskStream(AskRequest request, CallOptions options = {});

  // The same with more to steer the answer. iGPT's own SDKs call this the way to ask.
  absl::StatusOr<Answer> Run(RunRequest request, CallOptions options = {});
  PendingCall Run(RunRequest request, CallOptions options, Callback<Answer> done);
  std::unique_ptr<EventStream> RunStream(RunRequest request, CallOptions options = {});

  // Repeated on network errors, 429 and 5xx.
  absl::StatusOr<SearchAnswer> Search(SearchRequest request, CallOptions options = {});
  PendingCall Search(SearchRequest request, CallOptions options, Callback<SearchAnswer> done);

 private:
  friend class Client;
  explicit Recall(Client& client) : client_(client) {}
  Client& client_;
};

// What a user has connected.
class Datasources {
 public:
  // Repeated on network errors, 429 and 5xx.
  absl::StatusOr<ListAnswer> List(ListRequest request, CallOptions options = {});
  PendingCall List(ListRequest request, CallOptions options, Callback<ListAnswer> done);

  // Repeated only when the request provably never reached iGPT.
  absl::StatusOr<DisconnectAnswer> Disconnect(DisconnectRequest request, CallOptions options = {});
  PendingCall Disconnect(DisconnectRequest request, CallOptions options, Callback<DisconnectAnswer> done);

 private:
  friend class Client;
  explicit Datasources(Client& client) : client_(client) {}
  Client& client_;
};

// How a user connects a datasource.
class Connectors {
 public:
  // Repeated only when the request provably never reached iGPT.
  absl::StatusOr<AuthorizeAnswer> Authorize(AuthorizeRequest request, CallOptions options = {});
  PendingCall Authorize(AuthorizeRequest request, CallOptions options, Callback<AuthorizeAnswer> done);

 private:
  friend class Client;
  explicit Connectors(Client& client) : client_(client) {}
  Client& client_;
};

// Thread-safe. One is enough for a program; connections are pooled within it.
class Client {
 public:
  // INVALID_ARGUMENT that names every option that is out of range. Without `loop` the client makes a loop of its own;
  // with it, the client's calls live on it, it must outlive the client, and calls that are made on its thread start
  // without a thread hop.
  static absl::StatusOr<std::unique_ptr<Client>> Create(Options options, EventLoop* loop = nullptr);

  // Cancels the calls under way and, unless it runs on the loop's own thread, waits for their callbacks, which must not
  // start new calls. All EventStreams must have been destroyed.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Recall& recall() { return recall_; }
  Datasources& datasources() { return datasources_; }
  Connectors& connectors() { return connectors_; }

  // Replaces Options::api_key for requests that are sent from now on. INVALID_ARGUMENT for what Create would refuse;
  // the old key then stays.
  absl::Status SetApiKey(std::string api_key);

  // Replaces Options::ca_pem for connections that are opened from now on.
  void SetAuthorities(std::string ca_pem);

  // How many retries may be sent now: they are limited to 20 % of recent requests, beyond a burst of 10. On the event
  // loop's thread only.
  double RetriesLeft() const;

  // The share of the last ten seconds' requests that was held back because iGPT failed most of their user's, their
  // group's or all; and how many have been held back so far. On the event loop's thread only.
  double HeldBackShare() const;
  int64_t HeldBack() const;

 private:
  friend class Recall;
  friend class Datasources;
  friend class Connectors;

  Client(std::unique_ptr<EventLoop> own_loop, std::unique_ptr<internal::ClientCore> core);

  // All asynchronous forms: checks the request and starts its call, on the loop.
  template <typename Request, typename Answer>
  PendingCall Start(const internal::Endpoint<Request, Answer>& endpoint, Request request, CallOptions options,
                    Callback<Answer> done);
  // All blocking forms.
  template <typename Request, typename Answer>
  absl::StatusOr<Answer> Await(const internal::Endpoint<Request, Answer>& endpoint, Request request,
                               CallOptions options);

  // All forms with a streamed answer.
  template <typename Request>
  std::unique_ptr<EventStream> Stream(const internal::Endpoint<Request, Answer>& endpoint, Request request,
                                      CallOptions options);

  std::unique_ptr<EventLoop> own_loop_;  // null: the loop was given to Create
  std::unique_ptr<internal::ClientCore> core_;
  Recall recall_{*this};
  Datasources datasources_{*this};
  Connectors connectors_{*this};
};

}  // namespace igpt
