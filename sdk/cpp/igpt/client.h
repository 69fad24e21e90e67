// The iGPT client.
//
//   absl::StatusOr<igpt::Client> client = igpt::Client::Create({.api_key = key, .user = "ada"});
//   absl::StatusOr<igpt::Answer> answer = client->recall().Ask({.input = "What did we decide about the budget?"});
//
//   igpt::EventStream stream = client->recall().AskStream({.input = "…"});
//   absl::Status status = stream.ForEachText([](std::string_view text) { std::cout << text << std::flush; });
//
// Every call has a blocking form, which waits, and an asynchronous one, which takes a callback. A callback runs exactly
// once, never before the call returned, on Options::executor: by default on a thread of its own, where it may block. An
// invalid request (see error.h, kInvalidRequest) fails without anything being sent. No function throws; what a callback
// throws is lost.
//
// Ownership: a Client is a handle. Its copies, its parts and its streams share the connections and one thread, and keep
// them as long as any of them is there; it doesn't matter which goes last, or on which thread. When the last one goes,
// or at Close(), the calls that have not ended are cancelled, and their callbacks get kAborted; both wait until the
// callbacks have returned, unless they run in one.
//
// The process: the library's threads take no signals. A child of fork() can't use a client of its parent: calls give
// FAILED_PRECONDITION, and nothing hangs. It makes a client of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "igpt/client_ref.h"
#include "igpt/event_loop.h"
#include "igpt/event_stream.h"
#include "igpt/options.h"
#include "igpt/types.h"

namespace igpt {

namespace internal {
class Cancellable;
}  // namespace internal

template <typename Answer>
using Callback = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;

// A call that was started with a callback. Destroying it does not affect the call. It may outlive the call and the
// Client.
class PendingCall {
 public:
  PendingCall() = default;
  // Made by the parts of a Client.
  PendingCall(std::weak_ptr<internal::SharedClient> client, std::shared_ptr<std::weak_ptr<internal::Cancellable>> call)
      : client_(std::move(client)), call_(std::move(call)) {}

  // Aborts the request at once, in every phase; the callback then gets kAborted, unless the answer was there first.
  // From any thread.
  void Cancel();

 private:
  std::weak_ptr<internal::SharedClient> client_;
  std::shared_ptr<std::weak_ptr<internal::Cancellable>> call_;  // touched on the loop's thread only
};

// Recall, Datasources and Connectors are parts of a Client: see its recall(), datasources() and connectors(). Each is a
// handle, like it.

// Questions over a user's mail and documents.
class Recall {
 public:
  explicit Recall(internal::ClientRef client) : client_(std::move(client)) {}

  // The whole answer. Repeated on network errors, 429 and 5xx.
  absl::StatusOr<Answer> Ask(AskRequest request, CallOptions options = {});
  PendingCall Ask(AskRequest request, CallOptions options, Callback<Answer> done);

  // The answer while it is written. Repeated on the same errors, as long as no event came.
  EventStream AskStream(AskRequest request, CallOptions options = {});

  // The same with more to steer the answer. iGPT's own SDKs call this the way to ask.
  absl::StatusOr<Answer> Run(RunRequest request, CallOptions options = {});
  PendingCall Run(RunRequest request, CallOptions options, Callback<Answer> done);
  EventStream RunStream(RunRequest request, CallOptions options = {});

  // Repeated on network errors, 429 and 5xx.
  absl::StatusOr<SearchAnswer> Search(SearchRequest request, CallOptions options = {});
  PendingCall Search(SearchRequest request, CallOptions options, Callback<SearchAnswer> done);

 private:
  internal::ClientRef client_;
};

// What a user has connected.
class Datasources {
 public:
  explicit Datasources(internal::ClientRef client) : client_(std::move(client)) {}

  // Repeated on network errors, 429 and 5xx.
  absl::StatusOr<ListAnswer> List(ListRequest request, CallOptions options = {});
  PendingCall List(ListRequest request, CallOptions options, Callback<ListAnswer> done);

  // Repeated only when the request provably never reached iGPT.
  absl::StatusOr<DisconnectAnswer> Disconnect(DisconnectRequest request, CallOptions options = {});
  PendingCall Disconnect(DisconnectRequest request, CallOptions options, Callback<DisconnectAnswer> done);

 private:
  internal::ClientRef client_;
};

// How a user connects a datasource.
class Connectors {
 public:
  explicit Connectors(internal::ClientRef client) : client_(std::move(client)) {}

  // Repeated only when the request provably never reached iGPT.
  absl::StatusOr<AuthorizeAnswer> Authorize(AuthorizeRequest request, CallOptions options = {});
  PendingCall Authorize(AuthorizeRequest request, CallOptions options, Callback<AuthorizeAnswer> done);

 private:
  internal::ClientRef client_;
};

// Thread-safe. One is enough for a program; connections are pooled within it. One that was moved from gives
// FAILED_PRECONDITION.
class Client {
 public:
  // INVALID_ARGUMENT that names every option that is out of range. Without `loop` the client makes a loop of its own.
  // With it, the client's calls live on it, it must outlive the client, and calls that are made on its thread start
  // without a thread hop; callbacks run on that thread unless there is an executor, and must then not block; and
  // connections are limited only by Options::max_connections, if that is set.
  static absl::StatusOr<Client> Create(Options options, EventLoop* loop = nullptr);

  Recall recall() const { return Recall(client_); }
  Datasources datasources() const { return Datasources(client_); }
  Connectors connectors() const { return Connectors(client_); }

  // Cancels all calls, and waits until their callbacks have returned, unless it runs in one of them. Later calls fail
  // with kAborted.
  void Close();

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
  explicit Client(internal::ClientRef client) : client_(std::move(client)) {}

  internal::ClientRef client_;
};

}  // namespace igpt
