#include "service/admin/admin_server.h"

#include <pthread.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace igptd {
namespace {

// One request a connection: scrapes are seconds apart, and what is idle would only hold a thread.
constexpr HttpLimits kLimits = {
    .patience = {.read = absl::Seconds(5), .write = absl::Seconds(5), .connection = absl::Seconds(10)},
    .idle = absl::Seconds(5),
    .keep_alive = false,
    .max_connections = 16,
    .max_body = 1024};

HttpResponse ToResponse(AdminPage page) {
  return {.status = page.status,
          .headers = {{"Cache-Control", "no-store"}},
          .content_type = page.content_type,
          .body = std::move(page.body)};
}

HttpResponse Bare(int status) {
  return {.status = status};
}

}  // namespace

AdminServer::AdminServer()
    : server_(kLimits, {.answer = [this](const HttpRequest& request) { return Answer(request); }, .refuse = Bare}) {}

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Listen(const std::string& address) {
  auto admin = absl::WrapUnique(new AdminServer);
  if (const absl::Status bound = admin->server_.Bind(address); !bound.ok()) {
    return absl::Status(bound.code(), absl::StrCat("--admin_listen: ", bound.message()));
  }
  return admin;
}

AdminServer::~AdminServer() {
  server_.Stop();
  if (thread_.joinable()) thread_.join();
}

void AdminServer::OnGet(const std::string& path, std::function<AdminPage()> page) {
  gets_[path] = std::move(page);
}

void AdminServer::OnPost(const std::string& path, std::function<AdminPage(const std::string& body)> set) {
  posts_[path] = std::move(set);
}

HttpResponse AdminServer::Answer(const HttpRequest& request) const {
  const auto get = gets_.find(request.path);
  const auto post = posts_.find(request.path);
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (reads && get != gets_.end()) return ToResponse(get->second());
  if (request.method == "POST" && post != posts_.end()) return ToResponse(post->second(request.body));
  return Bare(404);
}

void AdminServer::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "admin");
    server_.Serve();
  });
}

}  // namespace igptd
