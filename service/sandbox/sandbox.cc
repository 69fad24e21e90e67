#include "igpt/sandbox.h"

#include <optional>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "service/http/http_server.h"
#include "service/sandbox/accounts.h"
#include "service/sandbox/api.h"
#include "service/sandbox/connect_page.h"
#include "service/sandbox/delivery.h"
#include "service/sandbox/faults.h"
#include "service/sandbox/json.h"
#include "service/sandbox/stopping.h"
#include "service/sandbox/text.h"
#include "service/system/thread.h"

namespace igptd::sandbox {
namespace {

constexpr char kHtml[] = "text/html; charset=utf-8";
constexpr std::string_view kBearer = "bearer ";

// Idle for longer than a client keeps connections in its pool (libcurl: 118 s), so that it never finds one closed.
constexpr HttpLimits kLimits = {.patience = {},
                                .idle = absl::Seconds(150),
                                .keep_alive = true,
                                .max_connections = 1'000'000,
                                .max_body = size_t{16} << 20};

bool HasKey(const HttpRequest& request) {
  const std::string authorization = request.header("Authorization");
  return Lower(authorization).starts_with(kBearer) &&
         std::string_view(authorization).substr(kBearer.size()) == igpt::kSandboxApiKey;
}

// Errors of HTTP rather than of the API (no such path, body too large, …). They are JSON too.
HttpResponse ErrorResponse(int status) {
  const char* code = status == 404   ? "not_found"
                     : status == 413 ? "too_large"
                     : status == 500 ? "internal"
                                     : "bad_request";
  return {.status = status, .content_type = "application/json", .body = Dump({{"error", code}})};
}

HttpResponse Marked(HttpResponse response) {
  response.headers.emplace_back("X-Sandbox", "igptd");
  return response;
}

// The token of "/connect/<token>", 32 hex digits; nullopt for any other path.
std::optional<std::string_view> TokenOf(std::string_view path) {
  if (!Consume(path, "/connect/") || path.size() != 32) return std::nullopt;
  if (path.find_first_not_of("0123456789ABCDEF") != path.npos) return std::nullopt;
  return path;
}

class Server {
 public:
  explicit Server(bool faults) : faults_(faults) {}

  ~Server() {
    stopping_.Notify();
    server_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Start(const std::string& listen) {
    if (absl::Status bound = server_.Bind(listen); !bound.ok()) return bound;
    connect_url_ = Cat(origin(), "/connect/");
    absl::StatusOr<std::thread> thread = StartThread([this] { server_.Serve(); });
    if (!thread.ok()) return thread.status();
    thread_ = *std::move(thread);
    return absl::OkStatus();
  }

  std::string origin() const { return Cat("http://", server_.authority()); }

 private:
  HttpResponse Answer(const HttpRequest& request) {
    std::string_view path = request.path;
    if (request.method == "GET" || request.method == "HEAD") {
      const std::optional<std::string_view> token = TokenOf(path);
      // Only looking (HEAD) opens nothing.
      if (token.has_value()) return ConnectResponse(request.method == "GET" ? accounts_.Redeem(*token) : std::nullopt);
    } else if (request.method == "POST") {
      if (path.ends_with('/')) path.remove_suffix(1);
      if (Consume(path, "/v1/")) return AnswerPost(path, request);
    }
    return ErrorResponse(404);
  }

  HttpResponse AnswerPost(std::string_view path, const HttpRequest& request) {
    const absl::StatusOr<Faults> faults = FaultsOf(request);
    if (!faults.ok()) {
      return WholeResponse(ErrorReply(std::string(faults.status().message()), 400), Faults(), stopping_);
    }
    stopping_.WaitFor(faults->delay);
    std::optional<HttpResponse> response = FaultResponse(*faults);
    if (!response.has_value()) response = AnswerProperly(path, request, *faults);
    if (!faults->retry_after.empty()) response->headers.emplace_back("Retry-After", faults->retry_after);
    return *std::move(response);
  }

  HttpResponse AnswerProperly(std::string_view path, const HttpRequest& request, const Faults& faults) {
    if (!HasKey(request)) return WholeResponse(ErrorReply("auth"), faults, stopping_);
    const std::optional<Json> params = ParseObject(request.body);
    if (!params.has_value()) return WholeResponse(ErrorReply("params"), faults, stopping_);
    if (path == "recall/ask" || path == "recall/run") {
      std::optional<AskReply> reply = AnswerAsk(accounts_, *params, absl::Now());
      if (!reply.has_value()) return WholeResponse(ErrorReply("params"), faults, stopping_);
      if (reply->stream) return StreamResponse(std::move(reply->run), faults, stopping_);
      return WholeResponse({.body = WholeAnswer(reply->run, /*took=*/absl::ZeroDuration())}, faults, stopping_);
    }
    const std::optional<Reply> reply = AnswerCall(path, accounts_, *params, connect_url_);
    return reply.has_value() ? WholeResponse(*reply, faults, stopping_) : ErrorResponse(404);
  }

  absl::StatusOr<Faults> FaultsOf(const HttpRequest& request) {
    if (!faults_) return Faults();
    absl::StatusOr<Faults> faults = ParseFaults(request.header("x-sandbox-fault"));
    if (faults.ok() && !fault_counter_.Applies(request.header("x-request-id"), *faults)) return Faults();
    return faults;
  }

  // What a browser shows that opened the URL of an Authorize. `grant` is what this connected; nullopt: nothing.
  static HttpResponse ConnectResponse(const std::optional<Grant>& grant) {
    HttpResponse response = {.headers = {{"Cache-Control", "no-store"},
                                         {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"},
                                         {"Referrer-Policy", "no-referrer"}}};
    if (grant.has_value() && !grant->redirect_uri.empty()) {
      response.status = 302;
      response.headers.emplace_back("Location", RedirectTo(grant->redirect_uri, grant->state));
      return response;
    }
    response.status = grant.has_value() ? 200 : 404;
    response.content_type = kHtml;
    response.body = grant.has_value() ? ConnectedPage(*grant) : ExpiredPage();
    return response;
  }

  const bool faults_;
  std::string connect_url_;
  Stopping stopping_;
  Accounts accounts_;
  FaultCounter fault_counter_;
  HttpServer server_{kLimits,
                     {.answer = [this](const HttpRequest& request) { return Marked(Answer(request)); },
                      .refuse = [](int status) { return Marked(ErrorResponse(status)); }}};
  std::thread thread_;
};

}  // namespace
}  // namespace igptd::sandbox

namespace igpt {

class Sandbox::Impl : public igptd::sandbox::Server {
 public:
  using Server::Server;
};

absl::StatusOr<std::unique_ptr<Sandbox>> Sandbox::Start(const SandboxOptions& options) {
  auto impl = std::make_unique<Impl>(options.faults);
  if (absl::Status started = impl->Start(options.listen); !started.ok()) return started;
  return std::unique_ptr<Sandbox>(new Sandbox(std::move(impl)));
}

Sandbox::Sandbox(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Sandbox::~Sandbox() = default;

std::string Sandbox::base_url() const {
  return impl_->origin() + "/v1";
}

}  // namespace igpt
