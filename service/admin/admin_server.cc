#include "service/admin/admin_server.h"

#include <pthread.h>

#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "service/admin/web_page_guard.h"
#include "service/system/host_port.h"

namespace igptd {
namespace {

// One request a connection: scrapes are seconds apart, and what is idle would only hold a thread.
constexpr absl::Duration kRequestLimit = absl::Seconds(2);
constexpr HttpLimits kLimits = {.patience = {.read = kRequestLimit,
                                             .request = kRequestLimit,
                                             .write = absl::Seconds(5),
                                             .connection = absl::Seconds(10)},
                                .idle = kRequestLimit,
                                .keep_alive = false,
                                .max_connections = 32,
                                .max_body = 1024};

HttpResponse ToResponse(AdminPage page) {
  return {.status = page.status,
          .headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}},
          .content_type = page.content_type,
          .body = std::move(page.body)};
}

HttpResponse Bare(int status) {
  return {.status = status};
}

HttpResponse Forbidden(const std::string& why) {
  return ToResponse({.status = 403, .body = absl::StrCat(why, "\n")});
}

}  // namespace

AdminServer::AdminServer(std::string own_host)
    : own_host_(std::move(own_host)),
      server_(kLimits, {.answer = [this](const HttpRequest& request) { return Answer(request); }, .refuse = Bare}) {}

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Listen(const std::string& flag, const std::string& address) {
  const std::optional<HostPort> parsed = ParseHostPort(address);
  auto admin = absl::WrapUnique(new AdminServer(parsed.has_value() ? parsed->host : ""));
  if (const absl::Status bound = admin->server_.Bind(address); !bound.ok()) {
    return absl::Status(bound.code(), absl::StrCat(flag, ": ", bound.message()));
  }
  return admin;
}

AdminServer::~AdminServer() {
  server_.Stop();
  if (thread_.joinable()) thread_.join();
}

void AdminServer::OnGet(const std::string& path, Audience audience, std::function<AdminPage()> page) {
  gets_[path] = {audience, std::move(page)};
}

void AdminServer::OnPost(const std::string& path, std::function<AdminPage(const std::string& body)> set) {
  posts_[path] = std::move(set);
}

HttpResponse AdminServer::Answer(const HttpRequest& request) const {
  const auto get = gets_.find(request.path);
  const auto post = posts_.find(request.path);
  const bool reads = (request.method == "GET" || request.method == "HEAD") && get != gets_.end();
  const bool sets = request.method == "POST" && post != posts_.end();
  if (!reads && !sets) return Bare(404);
  if (sets || get->second.audience == Audience::kOperators) {
    if (const std::string why = WebPageObjection(request, own_host_); !why.empty()) return Forbidden(why);
  }
  return ToResponse(sets ? post->second(request.body) : get->second.page());
}

void AdminServer::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "admin");
    server_.Serve();
  });
}

}  // namespace igptd
