// Plain HTTP for whoever runs igptd: a few pages, for a few clients. Whatever comes in here takes nothing from the
// calls but the CPU of a page: connections are few and short, and requests are small. Connections that wait for their
// client keep nobody out.
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
  // Listens on `address`, host:port, the value of `flag`; port 0 picks one. Whoever connects waits until Start.
  // FAILED_PRECONDITION when it can't be listened on.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Listen(const std::string& flag, const std::string& address);

  // Ends all connections.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  int port() const { return server_.port(); }

  // Who may ask for a page.
  enum class Audience {
    kAnyone,
    kOperators,  // not a web page in somebody's browser
  };

  // Pages, which are made on one of the server's threads when they are asked for; `set`, which only operators may ask
  // for, with what was sent. Before Start.
  void OnGet(const std::string& path, Audience audience, std::function<AdminPage()> page);
  void OnPost(const std::string& path, std::function<AdminPage(const std::string& body)> set);

  void Start();

 private:
  struct Get {
    Audience audience;
    std::function<AdminPage()> page;
  };

  explicit AdminServer(std::string own_host);
  HttpResponse Answer(const HttpRequest& request) const;

  const std::string own_host_;  // that it listens on
  // By path.
  std::map<std::string, Get> gets_;
  std::map<std::string, std::function<AdminPage(const std::string& body)>> posts_;
  HttpServer server_;
  std::thread thread_;
};

}  // namespace igptd
