#include "igpt/client.h"

#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "igpt/error.h"
#include "igpt/internal/base/monotonic.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/internal/call/endpoint.h"
#include "igpt/internal/call/on_loop.h"
#include "igpt/internal/call/streamed_answer.h"
#include "igpt/internal/call/whole_answer.h"
#include "igpt/internal/http/base_url.h"
#include "igpt/version.h"

namespace igpt {
namespace {

using internal::ClientCore;
using internal::RunOn;

template <typename Request>
absl::Status CheckAll(const Request& request, const CallOptions& options, const ClientCore& core) {
  std::vector<FieldViolation> violations = internal::Check(request, core.options.user);
  for (FieldViolation& violation : internal::Check(options)) violations.push_back(std::move(violation));
  return violations.empty() ? absl::OkStatus() : InvalidRequest(std::move(violations));
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
  // The host to connect to, whose name has to be resolved.
  absl::StatusOr<internal::BaseUrl> host = options.proxy.empty() ? base_url : internal::ParseProxy(options.proxy);
  if (!host.ok()) return host.status();
  if (!options.ca_file.empty() && options.ca_pem.empty()) {
    std::ifstream file(options.ca_file, std::ios::binary);
    options.ca_pem.assign(std::istreambuf_iterator<char>(file), {});
    if (options.ca_pem.empty()) return InvalidRequest({{"ca_file", "must be a file that can be read, and not empty"}});
  }
  std::unique_ptr<EventLoop> own_loop;
  if (loop == nullptr) {
    absl::StatusOr<std::unique_ptr<EventLoop>> made = EventLoop::Create();
    if (!made.ok()) return made.status();
    own_loop = *std::move(made);
    loop = own_loop.get();
  }
  const std::string own = absl::StrCat("igpt-cpp/", kVersion);
  std::string name = options.client_name.empty() ? own : options.client_name;
  std::string agent = options.client_name.empty() ? own : absl::StrCat(options.client_name, " ", own);
  auto core =
      std::make_unique<ClientCore>(*loop, std::move(options), *std::move(base_url), std::move(name), std::move(agent));
  if (!core->options.proxy.empty()) core->proxy = *host;
  const auto resolve = [&](const internal::BaseUrl& url) {
    if (url.host_is_address) return;
    core->resolvers.push_back(std::make_unique<internal::Resolver>(*loop, url.host, url.port, core->options.observer));
  };
  resolve(*host);
  if (host->scheme == "socks5") resolve(core->base_url);
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
    const std::vector<internal::RetryingRequest*> requests(core->requests.begin(), core->requests.end());
    for (internal::RetryingRequest* request : requests) request->Cancel();
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

void Client::SetAuthorities(std::string ca_pem) {
  RunOn(core_->loop,
        [core = core_.get(), authorities = std::make_shared<const std::string>(std::move(ca_pem))]() mutable {
          core->authorities = std::move(authorities);
        });
}

double Client::RetriesLeft() const {
  return core_->retry_budget.left();
}

double Client::HeldBackShare() const {
  return core_->throttle.HeldBackShare(internal::MonotonicNanos());
}

int64_t Client::HeldBack() const {
  return core_->throttle.held_back();
}

template <typename Request, typename Answer>
PendingCall Client::Start(const internal::Endpoint<Request, Answer>& endpoint, Request request, CallOptions options,
                          Callback<Answer> done) {
  EventLoop& loop = core_->loop;
  auto handle = std::make_shared<std::weak_ptr<internal::Cancellable>>();
  // From here on a callback may have destroyed the client.
  RunOn(loop, [core = core_.get(), &endpoint, handle, request = std::move(request), options = std::move(options),
               done = std::move(done)]() mutable {
    if (absl::Status valid = CheckAll(request, options, *core); !valid.ok()) {
      core->loop.Defer([done = std::move(done), valid = std::move(valid)]() mutable { done(std::move(valid)); });
      return;
    }
    auto call = std::make_shared<internal::WholeAnswer<Request, Answer>>(*core, endpoint, std::move(request),
                                                                         std::move(options), std::move(done));
    *handle = call;
    call->Start();
  });
  return PendingCall(loop, std::move(handle));
}

template <typename Request, typename Answer>
absl::StatusOr<Answer> Client::Await(const internal::Endpoint<Request, Answer>& endpoint, Request request,
                                     CallOptions options) {
  return internal::Await<Answer>(core_->loop, [&](Callback<Answer> done) {
    Start(endpoint, std::move(request), std::move(options), std::move(done));
  });
}

template <typename Request>
std::unique_ptr<EventStream> Client::Stream(const internal::Endpoint<Request, Answer>& endpoint, Request request,
                                            CallOptions options) {
  EventLoop& loop = core_->loop;
  // The call is made here, before its loop knows of it, so that the stream can be read and cancelled at once.
  auto call = std::make_shared<internal::StreamedAnswer>(*core_);
  RunOn(loop,
        [call, core = core_.get(), &endpoint, request = std::move(request), options = std::move(options)]() mutable {
          if (absl::Status valid = CheckAll(request, options, *core); !valid.ok()) return call->Fail(std::move(valid));
          call->Start(endpoint, request, std::move(options));
        });
  return std::make_unique<EventStream>(loop, std::move(call));
}

absl::StatusOr<Answer> Recall::Ask(AskRequest request, CallOptions options) {
  return client_.Await(internal::kAsk, std::move(request), std::move(options));
}

PendingCall Recall::Ask(AskRequest request, CallOptions options, Callback<Answer> done) {
  return client_.Start(internal::kAsk, std::move(request), std::move(options), std::move(done));
}

std::unique_ptr<EventStream> Recall::AskStream(AskRequest request, CallOptions options) {
  return client_.Stream(internal::kAsk, std::move(request), std::move(options));
}

absl::StatusOr<Answer> Recall::Run(RunRequest request, CallOptions options) {
  return client_.Await(internal::kRun, std::move(request), std::move(options));
}

PendingCall Recall::Run(RunRequest request, CallOptions options, Callback<Answer> done) {
  return client_.Start(internal::kRun, std::move(request), std::move(options), std::move(done));
}

std::unique_ptr<EventStream> Recall::RunStream(RunRequest request, CallOptions options) {
  return client_.Stream(internal::kRun, std::move(request), std::move(options));
}

absl::StatusOr<SearchAnswer> Recall::Search(SearchRequest request, CallOptions options) {
  return client_.Await(internal::kSearch, std::move(request), std::move(options));
}

PendingCall Recall::Search(SearchRequest request, CallOptions options, Callback<SearchAnswer> done) {
  return client_.Start(internal::kSearch, std::move(request), std::move(options), std::move(done));
}

absl::StatusOr<ListAnswer> Datasources::List(ListRequest request, CallOptions options) {
  return client_.Await(internal::kList, std::move(request), std::move(options));
}

PendingCall Datasources::List(ListRequest request, CallOptions options, Callback<ListAnswer> done) {
  return client_.Start(internal::kList, std::move(request), std::move(options), std::move(done));
}

absl::StatusOr<DisconnectAnswer> Datasources::Disconnect(DisconnectRequest request, CallOptions options) {
  return client_.Await(internal::kDisconnect, std::move(request), std::move(options));
}

PendingCall Datasources::Disconnect(DisconnectRequest request, CallOptions options, Callback<DisconnectAnswer> done) {
  return client_.Start(internal::kDisconnect, std::move(request), std::move(options), std::move(done));
}

absl::StatusOr<AuthorizeAnswer> Connectors::Authorize(AuthorizeRequest request, CallOptions options) {
  return client_.Await(internal::kAuthorize, std::move(request), std::move(options));
}

PendingCall Connectors::Authorize(AuthorizeRequest request, CallOptions options, Callback<AuthorizeAnswer> done) {
  return client_.Start(internal::kAuthorize, std::move(request), std::move(options), std::move(done));
}

}  // namespace igpt
