#include "igpt/client.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "igpt/error.h"
#include "igpt/internal/base/monotonic.h"
#include "igpt/internal/base/thread_pool.h"
#include "igpt/internal/call/call_end.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/internal/call/endpoint.h"
#include "igpt/internal/call/on_loop.h"
#include "igpt/internal/call/shared_client.h"
#include "igpt/internal/call/streamed_answer.h"
#include "igpt/internal/call/transport_call.h"
#include "igpt/internal/call/whole_answer.h"
#include "igpt/internal/http/base_url.h"
#include "igpt/internal/http/http2.h"
#include "igpt/internal/policy/pem.h"
#include "igpt/unstable/on_loop.h"
#include "igpt/version.h"

namespace igpt::inline sdk_v1 {
namespace {

using internal::ClientCore;
using internal::ClientRef;
using internal::Endpoint;
using internal::EventLoop;
using internal::RunOn;
using internal::SharedClient;
using internal::Starter;
using internal::Usable;

// A client's share of the file descriptors.
int DefaultMaxConnections() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1000;
  return static_cast<int>(std::clamp<rlim_t>(limit.rlim_cur / 4, 4, 10'000));
}

template <typename Request>
absl::Status CheckAll(const Request& request, const CallOptions& options, const ClientCore& core) {
  std::vector<FieldViolation> violations = internal::Check(request, core.options.user);
  for (FieldViolation& violation : internal::Check(options)) violations.push_back(std::move(violation));
  return violations.empty() ? absl::OkStatus() : InvalidRequest(std::move(violations));
}

// Counts the time from here on.
CallOptions Begun(CallOptions options) {
  if (options.timeout != absl::InfiniteDuration()) {
    options.deadline = std::min(options.deadline, MonotonicTime::Now() + options.timeout);
  }
  return options;
}

// Without `loop`, makes one.
absl::StatusOr<ClientRef> Open(Options options, EventLoop* loop, std::shared_ptr<Transport> transport) {
  if (absl::Status valid = Validate(options); !valid.ok()) return valid;
  absl::StatusOr<internal::BaseUrl> base_url = internal::ParseBaseUrl(options.base_url, options.allow_http);
  if (!base_url.ok()) return base_url.status();
  // The host to connect to, whose name has to be resolved.
  absl::StatusOr<internal::BaseUrl> host = options.proxy.empty() ? base_url : internal::ParseProxy(options.proxy);
  if (!host.ok()) return host.status();
  if (!options.ca_file.empty() && options.ca_pem.empty()) {
    std::ifstream file(options.ca_file, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();  // which doesn't throw, whatever the file is
    options.ca_pem = std::move(text).str();
    if (options.ca_pem.empty()) return InvalidRequest({{"ca_file", "must be a file that can be read, and not empty"}});
    std::string problem = internal::CertificatesProblem(options.ca_pem);
    if (!problem.empty()) return InvalidRequest({{"ca_file", std::move(problem)}});
  }
  if (options.http_version == HttpVersion::kAuto && !internal::Http2Problem().empty()) {
    options.http_version = HttpVersion::k1_1;
  }
  std::unique_ptr<EventLoop> own_loop;
  if (loop == nullptr) {
    absl::StatusOr<std::unique_ptr<EventLoop>> made = EventLoop::Create();
    if (!made.ok()) return made.status();
    own_loop = *std::move(made);
    loop = own_loop.get();
    if (options.max_connections == 0) options.max_connections = DefaultMaxConnections();
    // No callback may block the loop of all calls.
    if (options.executor == nullptr) options.executor = internal::DefaultExecutor();
  }
  if (options.max_connections > 0) {
    RunOn(*loop, [loop, limit = options.max_connections] { loop->curl().LimitConnections(limit); });
  }
  const std::string own = absl::StrCat("igpt-cpp/", kVersion);
  std::string name = options.client_name.empty() ? own : options.client_name;
  std::string agent = options.client_name.empty() ? own : absl::StrCat(options.client_name, " ", own);
  if (!options.user_agent.empty()) agent = options.user_agent;
  auto core =
      std::make_unique<ClientCore>(*loop, std::move(options), *std::move(base_url), std::move(name), std::move(agent));
  core->transport = std::move(transport);
  if (!core->options.proxy.empty()) core->proxy = *host;
  const auto resolve = [&](const internal::BaseUrl& url) {
    if (url.host_is_address) return;
    core->resolvers.push_back(std::make_unique<internal::Resolver>(*loop, url.host, url.port, core->options.observer));
  };
  resolve(*host);
  if (host->scheme == "socks5") resolve(core->base_url);
  return ClientRef(std::make_shared<SharedClient>(std::move(own_loop), std::move(core)));
}

}  // namespace

}  // namespace igpt::inline sdk_v1

namespace igpt::internal {

struct Starter {
  // Starts a call on the loop. `done` runs on the loop's thread.
  template <typename Request, typename Answer>
  static PendingCall Start(const std::shared_ptr<SharedClient>& client, const Endpoint<Request, Answer>& endpoint,
                           Request request, CallOptions options, Callback<Answer> done) {
    auto handle = std::make_shared<std::weak_ptr<Cancellable>>();
    // What the client shares goes only after everything that was posted before.
    RunOn(client->loop(), [client, core = &client->core(), &endpoint, handle, request = std::move(request),
                           options = Begun(std::move(options)), done = std::move(done)]() mutable {
      if (absl::Status valid = CheckAll(request, options, *core); !valid.ok()) {
        const CallInfo call = Refused(options);
        valid = WithFacts(valid, call);
        ReportCall(*core, endpoint.route, call, valid);
        core->loop.Defer([done = std::move(done), valid = std::move(valid)]() mutable { done(std::move(valid)); });
        return;
      }
      if (core->transport != nullptr) {
        auto call = std::make_shared<TransportAnswer<Request, Answer>>(client, endpoint, std::move(request),
                                                                       std::move(options), std::move(done));
        *handle = call;
        return call->Start();
      }
      auto call = std::make_shared<WholeAnswer<Request, Answer>>(*core, endpoint, std::move(request),
                                                                 std::move(options), std::move(done));
      *handle = call;
      call->Start();
    });
    return PendingCall(client, std::move(handle));
  }

  // All asynchronous forms. `function`: which one, for people.
  template <typename Request, typename Answer>
  static PendingCall StartCall(const char* function, const ClientRef& client, const Endpoint<Request, Answer>& endpoint,
                               Request request, CallOptions options, Callback<Answer> done) {
    if (done == nullptr) {
      RefuseNull(client.get().get(), function);
      return {};
    }
    if (absl::Status usable = Usable(client.get()); !usable.ok()) {
      FailLater(std::move(done), std::move(usable));
      return {};
    }
    return Start(client.get(), endpoint, std::move(request), std::move(options),
                 client->core().callbacks->Wrap(std::move(done)));
  }

  // All blocking forms. The client stays open until the answer is there, whoever lets go of it meanwhile.
  template <typename Request, typename Answer>
  static absl::StatusOr<Answer> AwaitCall(ClientRef client, const Endpoint<Request, Answer>& endpoint, Request request,
                                          CallOptions options) {
    if (absl::Status usable = Usable(client.get()); !usable.ok()) return usable;
    return Await<Answer>(client->loop(), [&](Callback<Answer> done) {
      Start(client.get(), endpoint, std::move(request), std::move(options), std::move(done));
    });
  }

  // All forms with a streamed answer. `how`: what StreamedAnswer::Start has beside.
  template <typename Request, typename... How>
  static EventStream StartStream(const ClientRef& client, const Endpoint<Request, Answer>& endpoint, Request request,
                                 CallOptions options, How... how) {
    if (client.get() == nullptr) return {};  // each read says that there is no call
    if (client->core().transport != nullptr) {
      return StartStreamOf(std::make_shared<TransportStream>(client.get()), client, endpoint, std::move(request),
                           std::move(options));
    }
    return StartStreamOf(std::make_shared<StreamedAnswer>(client->core()), client, endpoint, std::move(request),
                         std::move(options), how...);
  }

  // The call is made before its loop knows of it, so that the stream can be read and cancelled at once.
  template <typename Call, typename Request, typename... How>
  static EventStream StartStreamOf(std::shared_ptr<Call> call, const ClientRef& client,
                                   const Endpoint<Request, Answer>& endpoint, Request request, CallOptions options,
                                   How... how) {
    EventStream stream(client, call);
    if (!Usable(client.get()).ok()) return stream;  // each read says why
    RunOn(client->loop(), [call = std::move(call), core = &client->core(), &endpoint, request = std::move(request),
                           options = Begun(std::move(options)), how...]() mutable {
      if (absl::Status valid = CheckAll(request, options, *core); !valid.ok()) {
        return call->Fail(endpoint.route, std::move(options), std::move(valid));
      }
      call->Start(endpoint, std::move(request), std::move(options), how...);
    });
    return stream;
  }
};

}  // namespace igpt::internal

namespace igpt::inline sdk_v1 {

void PendingCall::Cancel() {
  const std::shared_ptr<SharedClient> client = client_.lock();
  if (!Usable(client).ok()) return;
  RunOn(client->loop(), [call = call_] {
    if (const std::shared_ptr<internal::Cancellable> live = call->lock()) live->Cancel();
  });
}

absl::StatusOr<Client> Client::Create(Options options, std::shared_ptr<Transport> transport) {
  if (transport != nullptr && options.api_key.empty()) options.api_key = "unused";
  absl::StatusOr<ClientRef> client = Open(std::move(options), nullptr, std::move(transport));
  if (!client.ok()) return client.status();
  return Client(*std::move(client));
}

void Client::Close() {
  if (Usable(client_.get()).ok()) client_->Close();
}

absl::Status Client::SetApiKey(std::string api_key) {
  if (absl::Status usable = Usable(client_.get()); !usable.ok()) return usable;
  if (absl::Status valid = ValidateApiKey(api_key); !valid.ok()) return valid;
  if (client_->core().options.api_key_provider != nullptr) {
    return InvalidRequest({{"api_key", "must come from the client's api_key_provider"}});
  }
  RunOn(client_->loop(),
        [core = &client_->core(), key = std::move(api_key)]() mutable { core->options.api_key = std::move(key); });
  return absl::OkStatus();
}

absl::Status Client::SetAuthorities(std::string ca_pem) {
  if (absl::Status usable = Usable(client_.get()); !usable.ok()) return usable;
  if (!ca_pem.empty()) {
    std::string problem = internal::CertificatesProblem(ca_pem);
    if (!problem.empty()) return InvalidRequest({{"ca_pem", std::move(problem)}});
  }
  RunOn(client_->loop(),
        [core = &client_->core(), authorities = std::make_shared<const std::string>(std::move(ca_pem))]() mutable {
          core->authorities = std::move(authorities);
        });
  return absl::OkStatus();
}

absl::StatusOr<Answer> Recall::Ask(AskRequest request, CallOptions options) {
  return Starter::AwaitCall(client_, internal::kAsk, std::move(request), std::move(options));
}

PendingCall Recall::Ask(AskRequest request, CallOptions options, Callback<Answer> done) {
  return Starter::StartCall("Recall::Ask", client_, internal::kAsk, std::move(request), std::move(options),
                            std::move(done));
}

EventStream Recall::AskStream(AskRequest request, CallOptions options) {
  return Starter::StartStream(client_, internal::kAsk, std::move(request), std::move(options));
}

absl::StatusOr<Answer> Recall::Run(RunRequest request, CallOptions options) {
  return Starter::AwaitCall(client_, internal::kRun, std::move(request), std::move(options));
}

PendingCall Recall::Run(RunRequest request, CallOptions options, Callback<Answer> done) {
  return Starter::StartCall("Recall::Run", client_, internal::kRun, std::move(request), std::move(options),
                            std::move(done));
}

EventStream Recall::RunStream(RunRequest request, CallOptions options) {
  return Starter::StartStream(client_, internal::kRun, std::move(request), std::move(options));
}

absl::StatusOr<SearchAnswer> Recall::Search(SearchRequest request, CallOptions options) {
  return Starter::AwaitCall(client_, internal::kSearch, std::move(request), std::move(options));
}

PendingCall Recall::Search(SearchRequest request, CallOptions options, Callback<SearchAnswer> done) {
  return Starter::StartCall("Recall::Search", client_, internal::kSearch, std::move(request), std::move(options),
                            std::move(done));
}

absl::StatusOr<ListAnswer> Datasources::List(ListRequest request, CallOptions options) {
  return Starter::AwaitCall(client_, internal::kList, std::move(request), std::move(options));
}

PendingCall Datasources::List(ListRequest request, CallOptions options, Callback<ListAnswer> done) {
  return Starter::StartCall("Datasources::List", client_, internal::kList, std::move(request), std::move(options),
                            std::move(done));
}

absl::StatusOr<DisconnectAnswer> Datasources::Disconnect(DisconnectRequest request, CallOptions options) {
  return Starter::AwaitCall(client_, internal::kDisconnect, std::move(request), std::move(options));
}

PendingCall Datasources::Disconnect(DisconnectRequest request, CallOptions options, Callback<DisconnectAnswer> done) {
  return Starter::StartCall("Datasources::Disconnect", client_, internal::kDisconnect, std::move(request),
                            std::move(options), std::move(done));
}

absl::StatusOr<AuthorizeAnswer> Connectors::Authorize(AuthorizeRequest request, CallOptions options) {
  return Starter::AwaitCall(client_, internal::kAuthorize, std::move(request), std::move(options));
}

PendingCall Connectors::Authorize(AuthorizeRequest request, CallOptions options, Callback<AuthorizeAnswer> done) {
  return Starter::StartCall("Connectors::Authorize", client_, internal::kAuthorize, std::move(request),
                            std::move(options), std::move(done));
}

}  // namespace igpt::inline sdk_v1

namespace igpt::unstable {

absl::StatusOr<Client> OnLoop::Create(Options options, EventLoop& loop) {
  absl::StatusOr<ClientRef> client = Open(std::move(options), &loop, nullptr);
  if (!client.ok()) return client.status();
  return Client(*std::move(client));
}

std::optional<EventResult> OnLoop::TryRead(EventStream& stream) {
  return stream.call_->TryRead();
}

bool OnLoop::Readable(const EventStream& stream) {
  return stream.call_->Readable();
}

void OnLoop::WaitReadable(EventStream& stream, absl::Duration timeout, absl::AnyInvocable<void()> wake) {
  stream.call_->WaitReadable(timeout, std::move(wake));
}

EventStream OnLoop::AskWhole(const Recall& recall, AskRequest request, CallOptions options) {
  return Starter::StartStream(recall.client_, internal::kAsk, std::move(request), std::move(options),
                              /*stream=*/false);
}

EventStream OnLoop::RunWhole(const Recall& recall, RunRequest request, CallOptions options) {
  return Starter::StartStream(recall.client_, internal::kRun, std::move(request), std::move(options),
                              /*stream=*/false);
}

double OnLoop::RetriesLeft(const Client& client) {
  return client.client_->core().retry_budget.left();
}

double OnLoop::HeldBackShare(const Client& client) {
  return client.client_->core().throttle.HeldBackShare(internal::MonotonicNanos());
}

int64_t OnLoop::HeldBack(const Client& client) {
  return client.client_->core().throttle.held_back();
}

}  // namespace igpt::unstable
