#include "igpt/client.h"

#include <unistd.h>

#include <future>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "igpt/error.h"
#include "igpt/internal/ask_call.h"
#include "igpt/internal/client_core.h"
#include "igpt/internal/http/base_url.h"
#include "igpt/internal/json/codec.h"
#include "igpt/internal/monotonic.h"
#include "igpt/internal/request_check.h"
#include "igpt/internal/unary_call.h"
#include "igpt/version.h"

namespace igpt {
namespace {

using internal::AskCall;
using internal::ClientCore;
using internal::Route;
using internal::UnaryCall;

template <typename Request>
absl::Status CheckAll(const Request& request, const CallOptions& options, const ClientCore& core) {
  std::vector<FieldViolation> violations = internal::Check(request, core.options.user);
  for (FieldViolation& violation : internal::Check(options)) violations.push_back(std::move(violation));
  return violations.empty() ? absl::OkStatus() : InvalidRequest(std::move(violations));
}

// Now on the loop's own thread, else as soon as the loop comes to it.
void RunOn(EventLoop& loop, absl::AnyInvocable<void()> function) {
  if (loop.InLoop()) return function();
  loop.Post(std::move(function));
}

// The blocking form of what `start` starts with a callback.
template <typename Answer, typename Start>
absl::StatusOr<Answer> Await(EventLoop& loop, Start start) {
  if (loop.InLoop()) return absl::FailedPreconditionError("a blocking call on the event loop's own thread");
  std::promise<absl::StatusOr<Answer>> promise;
  std::future<absl::StatusOr<Answer>> result = promise.get_future();
  start(
      [promise = std::move(promise)](absl::StatusOr<Answer> answer) mutable { promise.set_value(std::move(answer)); });
  return result.get();
}

}  // namespace

void PendingCall::Cancel() {
  if (call_ == nullptr) return;
  RunOn(*loop_, [call = call_] {
    if (const std::shared_ptr<internal::Cancellable> live = call->lock()) live->Cancel();
  });
}

absl::StatusOr<std::unique_ptr<Client>> Client::Create(Options options, EventLoop* loop) {
  if (absl::Status valid = Validate(options); !valid.ok()) return valid;
  absl::StatusOr<internal::BaseUrl> base_url = internal::ParseBaseUrl(options.base_url);
  if (!base_url.ok()) return base_url.status();
  // What is connected to, and so has to be resolved.
  absl::StatusOr<internal::BaseUrl> host = options.proxy.empty() ? base_url : internal::ParseProxy(options.proxy);
  if (!host.ok()) return host.status();
  if (!options.ca_file.empty() && access(options.ca_file.c_str(), R_OK) != 0) {
    return InvalidRequest({{"ca_file", "must be a file that can be read"}});
  }
  std::unique_ptr<EventLoop> own_loop;
  if (loop == nullptr) {
    absl::StatusOr<std::unique_ptr<EventLoop>> made = EventLoop::Create();
    if (!made.ok()) return made.status();
    own_loop = *std::move(made);
    loop = own_loop.get();
  }
  std::string name = options.client_name.empty() ? absl::StrCat("igpt-cpp/", kVersion) : options.client_name;
  auto core = std::make_unique<ClientCore>(*loop, std::move(options), *std::move(base_url), std::move(name));
  if (!host->host_is_address) {
    core->resolver = std::make_unique<internal::Resolver>(*loop, host->host, host->port, core->options.observer);
  }
  return std::unique_ptr<Client>(new Client(std::move(own_loop), std::move(core)));
}

Client::Client(std::unique_ptr<EventLoop> own_loop, std::unique_ptr<ClientCore> core)
    : own_loop_(std::move(own_loop)), core_(std::move(core)) {}

Client::~Client() {
  EventLoop& loop = core_->loop;
  std::promise<void> closed;
  std::future<void> all_called_back = closed.get_future();
  // Cancelled calls call back at the end of the turn, in order: the core goes after the last of them.
  auto close = [&loop, core = std::move(core_), closed = std::move(closed)]() mutable {
    core->closing = true;
    const std::vector<internal::HttpCall*> calls(core->calls.begin(), core->calls.end());
    for (internal::HttpCall* call : calls) call->Cancel();
    loop.Defer([core = std::move(core), closed = std::move(closed)]() mutable {
      core.reset();
      closed.set_value();
    });
  };
  if (loop.InLoop()) {
    close();
  } else {
    loop.Post(std::move(close));
    all_called_back.wait();
  }
}

absl::Status Client::SetApiKey(std::string api_key) {
  if (absl::Status valid = ValidateApiKey(api_key); !valid.ok()) return valid;
  RunOn(core_->loop,
        [core = core_.get(), key = std::move(api_key)]() mutable { core->options.api_key = std::move(key); });
  return absl::OkStatus();
}

double Client::RetriesLeft() const {
  return core_->retry_budget.left();
}

double Client::HeldBackShare() const {
  return core_->throttle.Probability(internal::MonotonicNanos());
}

int64_t Client::HeldBack() const {
  return core_->throttle.held_back();
}

template <typename Answer, typename Request, typename Encode, typename Decode>
PendingCall Client::Start(Route route, Request request, CallOptions options, Callback<Answer> done, Encode encode,
                          Decode decode) {
  EventLoop& loop = core_->loop;
  auto handle = std::make_shared<std::weak_ptr<internal::Cancellable>>();
  // From here on a callback may have destroyed the client.
  RunOn(loop, [core = core_.get(), handle, route, encode, decode, request = std::move(request),
               options = std::move(options), done = std::move(done)]() mutable {
    if (absl::Status valid = CheckAll(request, options, *core); !valid.ok()) {
      core->loop.Defer([done = std::move(done), valid = std::move(valid)]() mutable { done(std::move(valid)); });
      return;
    }
    std::string body = encode(request, request.user.empty() ? core->options.user : request.user);
    auto call = std::make_shared<UnaryCall<Answer>>(
        *core, route, std::move(body), std::move(options),
        [decode, request = std::move(request)](std::string answer) { return decode(std::move(answer), request); },
        std::move(done));
    *handle = call;
    call->Start();
  });
  return PendingCall(loop, std::move(handle));
}

PendingCall Recall::Ask(AskRequest request, CallOptions options, Callback<Answer> done) {
  return client_.Start<Answer>(
      Route::kAsk, std::move(request), std::move(options), std::move(done),
      [](const AskRequest& ask, const std::string& user) { return internal::EncodeAsk(ask, user, /*stream=*/false); },
      [](std::string body, const AskRequest& ask) {
        return internal::DecodeAnswer(
            std::move(body),
            {.json_wanted = ask.output_format.kind != OutputFormat::Kind::kText, .include_raw = ask.include_raw});
      });
}

absl::StatusOr<Answer> Recall::Ask(AskRequest request, CallOptions options) {
  return Await<Answer>(client_.core_->loop,
                       [&](Callback<Answer> done) { Ask(std::move(request), std::move(options), std::move(done)); });
}

std::unique_ptr<igpt::AskStream> Recall::AskStream(AskRequest request, CallOptions options) {
  EventLoop& loop = client_.core_->loop;
  // The call is made here, before its loop knows of it, so that the stream can be read and cancelled at once.
  auto call = std::make_shared<AskCall>(*client_.core_);
  RunOn(loop, [call, core = client_.core_.get(), request = std::move(request), options = std::move(options)]() mutable {
    if (absl::Status valid = CheckAll(request, options, *core); !valid.ok()) return call->Fail(std::move(valid));
    call->Start(request, std::move(options));
  });
  return std::make_unique<igpt::AskStream>(loop, std::move(call));
}

PendingCall Recall::Search(SearchRequest request, CallOptions options, Callback<SearchAnswer> done) {
  return client_.Start<SearchAnswer>(Route::kSearch, std::move(request), std::move(options), std::move(done),
                                     internal::EncodeSearch, [](std::string body, const SearchRequest& search) {
                                       return internal::DecodeSearch(std::move(body), search.include_raw);
                                     });
}

absl::StatusOr<SearchAnswer> Recall::Search(SearchRequest request, CallOptions options) {
  return Await<SearchAnswer>(client_.core_->loop, [&](Callback<SearchAnswer> done) {
    Search(std::move(request), std::move(options), std::move(done));
  });
}

PendingCall Datasources::List(ListRequest request, CallOptions options, Callback<ListAnswer> done) {
  return client_.Start<ListAnswer>(
      Route::kList, std::move(request), std::move(options), std::move(done),
      [](const ListRequest& /*list*/, const std::string& user) { return internal::EncodeList(user); },
      [](std::string body, const ListRequest& list) {
        return internal::DecodeList(std::move(body), list.include_raw);
      });
}

absl::StatusOr<ListAnswer> Datasources::List(ListRequest request, CallOptions options) {
  return Await<ListAnswer>(client_.core_->loop, [&](Callback<ListAnswer> done) {
    List(std::move(request), std::move(options), std::move(done));
  });
}

PendingCall Datasources::Disconnect(DisconnectRequest request, CallOptions options, Callback<DisconnectAnswer> done) {
  return client_.Start<DisconnectAnswer>(Route::kDisconnect, std::move(request), std::move(options), std::move(done),
                                         internal::EncodeDisconnect,
                                         [](std::string body, const DisconnectRequest& disconnect) {
                                           return internal::DecodeDisconnect(std::move(body), disconnect.include_raw);
                                         });
}

absl::StatusOr<DisconnectAnswer> Datasources::Disconnect(DisconnectRequest request, CallOptions options) {
  return Await<DisconnectAnswer>(client_.core_->loop, [&](Callback<DisconnectAnswer> done) {
    Disconnect(std::move(request), std::move(options), std::move(done));
  });
}

PendingCall Connectors::Authorize(AuthorizeRequest request, CallOptions options, Callback<AuthorizeAnswer> done) {
  return client_.Start<AuthorizeAnswer>(Route::kAuthorize, std::move(request), std::move(options), std::move(done),
                                        internal::EncodeAuthorize,
                                        [](std::string body, const AuthorizeRequest& authorize) {
                                          return internal::DecodeAuthorize(std::move(body), authorize.include_raw);
                                        });
}

absl::StatusOr<AuthorizeAnswer> Connectors::Authorize(AuthorizeRequest request, CallOptions options) {
  return Await<AuthorizeAnswer>(client_.core_->loop, [&](Callback<AuthorizeAnswer> done) {
    Authorize(std::move(request), std::move(options), std::move(done));
  });
}

}  // namespace igpt
