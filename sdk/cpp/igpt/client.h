// The iGPT client.
//
//   absl::StatusOr<igpt::Client> client = igpt::Client::Create({.api_key = key, .user = "ada"});
//   absl::StatusOr<igpt::Answer> answer = client->recall().Ask({.input = "What did we decide about the budget?"});
//
//   igpt::EventStream stream = client->recall().AskStream({.input = "…"});
//   absl::Status status = stream.ForEachText([](std::string_view text) { std::cout << text << std::flush; });
//
// Every call has a blocking form, which waits, and an asynchronous one, which takes a callback. A callback runs exactly
// once, never before the call returned, on Options::executor: by default on a thread of its own, where it may block. A
// null callback is a mistake: nothing is sent, and a line says so (see Options::log). An invalid request (see error.h,
// kInvalidRequest) fails without anything being sent. No function throws; what a callback throws is lost.
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
#include "igpt/event_stream.h"
#include "igpt/options.h"
#include "igpt/types.h"

namespace igpt::internal {
class Cancellable;
struct Starter;
}  // namespace igpt::internal

namespace igpt::unstable {
struct OnLoop;
}  // namespace igpt::unstable

namespace igpt::inline sdk_v1 {

class Transport;

template <typename Answer>
using Callback = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;

// A call that was started with a callback. Destroying it does not affect the call. It may outlive the call and the
// Client.
class PendingCall {
 public:
  PendingCall() = default;

  // Aborts the request at once, in every phase; the callback then gets kAborted, unless the answer was there first.
  // From any thread.
  void Cancel();

 private:
  friend struct internal::Starter;
  PendingCall(std::weak_ptr<internal::SharedClient> client, std::shared_ptr<std::weak_ptr<internal::Cancellable>> call)
      : client_(std::move(client)), call_(std::move(call)) {}

  std::weak_ptr<internal::SharedClient> client_;
  std::shared_ptr<std::weak_ptr<internal::Cancellable>> call_;  // touched on the loop's thread only
};

// Recall, Datasources and Connectors are parts of a Client: see its recall(), datasources() and connectors(). Each is a
// handle, like it.

// Questions over a user's mail and documents.
class Recall {
 public:
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
  friend class Client;
  friend struct unstable::OnLoop;
  explicit Recall(internal::ClientRef client) : client_(std::move(client)) {}

  internal::ClientRef client_;
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
  explicit Datasources(internal::ClientRef client) : client_(std::move(client)) {}

  internal::ClientRef client_;
};

// How a user connects a datasource.
class Connectors {
 public:
  // Repeated only when the request provably never reached iGPT.
  absl::StatusOr<AuthorizeAnswer> Authorize(AuthorizeRequest request, CallOptions options = {});
  PendingCall Authorize(AuthorizeRequest request, CallOptions options, Callback<AuthorizeAnswer> done);

 private:
  friend class Client;
  explicit Connectors(internal::ClientRef client) : client_(std::move(client)) {}

  internal::ClientRef client_;
};

// Thread-safe. One is enough for a program; connections are pooled within it. One that was moved from gives
// FAILED_PRECONDITION.
class Client {
 public:
  // INVALID_ARGUMENT that names every option that is out of range. A transport, if there is one, answers the calls in
  // place of iGPT; then no key is needed.
  static absl::StatusOr<Client> Create(Options options, std::shared_ptr<Transport> transport = nullptr);

  Recall recall() const { return Recall(client_); }
  Datasources datasources() const { return Datasources(client_); }
  Connectors connectors() const { return Connectors(client_); }

  // Cancels all calls, and waits until their callbacks have returned, unless it runs in one of them. Later calls fail
  // with kAborted.
  void Close();

  // Replaces Options::api_key for requests that are sent from now on. INVALID_ARGUMENT for what Create would refuse, as
  // any key beside an api_key_provider; the old key then stays.
  absl::Status SetApiKey(std::string api_key);

  // Replaces Options::ca_pem, or what was read from ca_file, for connections that are opened from now on. Empty: there
  // is none any more. INVALID_ARGUMENT for what Create would refuse; the old ones then stay.
  absl::Status SetAuthorities(std::string ca_pem);

 private:
  friend struct unstable::OnLoop;
  explicit Client(internal::ClientRef client) : client_(std::move(client)) {}

  internal::ClientRef client_;
};

}  // namespace igpt::inline sdk_v1
