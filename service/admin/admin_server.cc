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
    .keep_alive = absl::Seconds(5),
    .max_requests = 1,
    .max_connections = 16,
    .max_body = 1024};

void Answer(const AdminPage& page, httplib::Response& response) {
  response.status = page.status;
  response.set_header("Cache-Control", "no-store");
  response.set_content(page.body, page.content_type);
}

}  // namespace

AdminServer::AdminServer() : server_(kLimits) {}

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
  server_.Get(path, [page = std::move(page)](const httplib::Request& /*request*/, httplib::Response& response) {
    Answer(page(), response);
  });
}

void AdminServer::OnPost(const std::string& path, std::function<AdminPage(const std::string& body)> set) {
  server_.Post(path, [set = std::move(set)](const httplib::Request& request, httplib::Response& response) {
    Answer(set(request.body), response);
  });
}

void AdminServer::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "admin");
    server_.Serve();
  });
}

}  // namespace igptd
