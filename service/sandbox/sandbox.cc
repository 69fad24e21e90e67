#include "service/sandbox/sandbox.h"

#include <functional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
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

namespace igptd::sandbox {
namespace {

constexpr char kHtml[] = "text/html; charset=utf-8";
constexpr std::string_view kBearer = "bearer ";

// Idle for longer than a client keeps connections in its pool (libcurl: 118 s), so that it never finds one closed.
constexpr HttpLimits kLimits = {.patience = {},
                                .keep_alive = absl::Seconds(150),
                                .max_requests = 1'000'000,
                                .max_connections = 1'000'000,
                                .max_body = size_t{16} << 20};

bool HasKey(const httplib::Request& request) {
  const std::string authorization = request.get_header_value("Authorization");
  return Lower(authorization).starts_with(kBearer) &&
         std::string_view(authorization).substr(kBearer.size()) == kSandboxApiKey;
}

// What httplib answers by itself (no such path, a request too large, …) says why in JSON too.
void ExplainError(const httplib::Request& /*request*/, httplib::Response& response) {
  if (!response.body.empty() || response.content_provider_) return;
  const char* code = response.status == 404 ? "not_found" : response.status == 413 ? "too_large" : "bad_request";
  response.set_content(Dump({{"error", code}}), "application/json");
}

void ExplainException(const httplib::Request& /*request*/, httplib::Response& response,
                      const std::exception_ptr& /*what*/) {
  response.status = 500;
  response.set_content(R"({"error":"internal"})", "application/json");
}

}  // namespace

class Sandbox::Impl {
 public:
  explicit Impl(bool faults) : faults_(faults) {}

  ~Impl() {
    stopping_.Notify();
    server_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Start(const std::string& listen) {
    if (absl::Status bound = server_.Bind(listen); !bound.ok()) {
      return absl::Status(bound.code(), absl::StrCat("--sandbox_listen: ", bound.message()));
    }
    connect_url_ = Cat(origin(), "/connect/");
    AddRoutes();
    thread_ = std::thread([this] { server_.Serve(); });
    return absl::OkStatus();
  }

  std::string origin() const { return Cat("http://", server_.authority()); }

 private:
  // Answers a call whose key and body are in order.
  using Call = std::function<void(const Json& params, const Faults& faults, httplib::Response& response)>;

  void AddRoutes() {
    server_.set_default_headers({{"X-Sandbox", "igptd"}});
    server_.set_error_handler(httplib::Server::Handler(ExplainError));
    server_.set_exception_handler(ExplainException);
    const auto ask = [this](const Json& params, const Faults& faults, httplib::Response& response) {
      std::optional<AskReply> reply = AnswerAsk(accounts_, params, absl::Now());
      if (!reply.has_value()) return Deliver(ErrorReply("params"), faults, stopping_, response);
      if (reply->stream) return DeliverStream(std::move(reply->run), faults, stopping_, response);
      Deliver({.body = WholeAnswer(reply->run, absl::Now())}, faults, stopping_, response);
    };
    AddCall("/v1/recall/ask", ask);
    AddCall("/v1/recall/run", ask);
    AddSimpleCall("/v1/recall/search", [this](const Json& params) { return AnswerSearch(accounts_, params); });
    AddSimpleCall("/v1/datasources/list", [this](const Json& params) { return AnswerList(accounts_, params); });
    AddSimpleCall("/v1/datasources/disconnect",
                  [this](const Json& params) { return AnswerDisconnect(accounts_, params); });
    AddSimpleCall("/v1/connectors/authorize",
                  [this](const Json& params) { return AnswerAuthorize(accounts_, params, connect_url_); });
    server_.Get("/connect/([0-9A-F]{32})", [this](const httplib::Request& request, httplib::Response& response) {
      OpenConnectPage(request, response);
    });
  }

  void AddSimpleCall(const std::string& path, std::function<Reply(const Json& params)> call) {
    AddCall(path,
            [this, call = std::move(call)](const Json& params, const Faults& faults, httplib::Response& response) {
              Deliver(call(params), faults, stopping_, response);
            });
  }

  void AddCall(const std::string& path, Call call) {
    server_.Post(
        Cat(path, "/?"), [this, call = std::move(call)](const httplib::Request& request, httplib::Response& response) {
          const absl::StatusOr<Faults> faults = FaultsOf(request);
          if (!faults.ok())
            return Deliver(ErrorReply(std::string(faults.status().message()), 400), Faults(), stopping_, response);
          stopping_.WaitFor(faults->delay);
          if (DeliverFault(*faults, response)) return;
          if (!HasKey(request)) return Deliver(ErrorReply("auth"), *faults, stopping_, response);
          const std::optional<Json> params = ParseObject(request.body);
          if (!params.has_value()) return Deliver(ErrorReply("params"), *faults, stopping_, response);
          call(*params, *faults, response);
        });
  }

  absl::StatusOr<Faults> FaultsOf(const httplib::Request& request) {
    if (!faults_) return Faults();
    absl::StatusOr<Faults> faults = ParseFaults(request.get_header_value("x-sandbox-fault"));
    if (faults.ok() && !fault_counter_.Applies(request.get_header_value("x-request-id"), *faults)) return Faults();
    return faults;
  }

  // Connects what the token was given for: this is what a user opens in a browser.
  void OpenConnectPage(const httplib::Request& request, httplib::Response& response) {
    response.set_header("Cache-Control", "no-store");
    response.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    response.set_header("Referrer-Policy", "no-referrer");
    // Only looking (HEAD) opens nothing.
    const std::optional<Grant> grant =
        request.method == "GET" ? accounts_.Redeem(request.matches[1].str()) : std::nullopt;
    if (!grant.has_value()) {
      response.status = 404;
      response.set_content(ExpiredPage(), kHtml);
    } else if (grant->redirect_uri.empty()) {
      response.set_content(ConnectedPage(*grant), kHtml);
    } else {
      response.set_redirect(RedirectTo(grant->redirect_uri, grant->state));
    }
  }

  const bool faults_;
  std::string connect_url_;
  Stopping stopping_;
  Accounts accounts_;
  FaultCounter fault_counter_;
  HttpServer server_{kLimits};
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<Sandbox>> Sandbox::Start(const SandboxOptions& options) {
  auto impl = std::make_unique<Impl>(options.faults);
  if (absl::Status started = impl->Start(options.listen); !started.ok()) return started;
  return std::unique_ptr<Sandbox>(new Sandbox(std::move(impl)));
}

Sandbox::Sandbox(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Sandbox::~Sandbox() = default;

std::string Sandbox::base_url() const {
  return Cat(impl_->origin(), "/v1");
}

}  // namespace igptd::sandbox
