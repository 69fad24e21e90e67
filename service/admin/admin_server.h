// Plain HTTP for whoever runs igptd: a few pages, for a few clients. Whatever comes in here takes nothing from the
// calls but the CPU of a page: connections are few and short, and requests are small.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "service/http/http_server.h"

namespace igptd {

struct AdminPage {
  int status = 200;
  std::string body;
  const char* content_type = "text/plain; charset=utf-8";
};

class AdminServer {
 public:
  // Listens on `address`, host:port; port 0 picks one. Whoever connects waits until Start. FAILED_PRECONDITION when it
  // can't be listened on.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Listen(const std::string& address);

  // Ends all connections.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  int port() const { return server_.port(); }

  // Pages, which are made on one of the server's threads when they are asked for; `set`, with what was sent. Before
  // Start.
  void OnGet(const std::string& path, std::function<AdminPage()> page);
  void OnPost(const std::string& path, std::function<AdminPage(const std::string& body)> set);

  void Start();

 private:
  AdminServer();
  HttpResponse Answer(const HttpRequest& request) const;

  // By path.
  std::map<std::string, std::function<AdminPage()>> gets_;
  std::map<std::string, std::function<AdminPage(const std::string& body)>> posts_;
  HttpServer server_;
  std::thread thread_;
};

}  // namespace igptd
