// An HTTP/1.1 server that lets a test decide every byte and fault.
//
//   ScriptedHttpServer server;
//   server.OnRequest([](Exchange& exchange) {
//     exchange.StartSse();
//     exchange.SendSse(R"({"type":"run.start"})");
//     exchange.Reset();
//   });
//   … let a client ask server.url() …
//   ASSERT_TRUE(server.AwaitRequests(1));
//   EXPECT_EQ(server.requests()[0].target, "/recall/ask/");
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "igpt/monotonic_time.h"
#include "tests/support/connection.h"
#include "tests/support/event.h"
#include "tests/support/exchange.h"
#include "tests/support/http_message.h"
#include "tests/support/unique_fd.h"

namespace igpt::testing {

// Answers one request. Runs on the thread of its connection, so handlers of several connections run at the same time.
// If it returns without Close() or Reset(), the connection stays open, and the next request on it is the next exchange.
// Whatever it captures by reference must be declared before the server, so that it outlives the last handler.
using Handler = std::function<void(Exchange&)>;

// Listens on a free port of 127.0.0.1. Thread-safe.
//
// Requests with a body must frame it by Content-Length; if a request isn't HTTP/1.1, the server closes the connection.
// The destructor ends every exchange and joins every thread: it waits for handlers, whose steps then all fail at once.
class ScriptedHttpServer {
 public:
  enum class Mode {
    kServe,
    kNeverRead,    // accepts connections and reads nothing from them
    kRefuse,       // refuses connections: the port is reserved, but nobody listens
    kNoHandshake,  // leaves connections hanging: connect() neither succeeds nor fails
  };

  explicit ScriptedHttpServer(Mode mode = Mode::kServe);
  ~ScriptedHttpServer();
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;

  int port() const { return port_; }
  // "http://127.0.0.1:<port><path>"
  std::string url(std::string_view path = "") const;

  // Answers the next request that has no handler yet. Several calls queue up.
  void OnNextRequest(Handler handler);
  // Answers every request for which no handler is queued. Without it, such a request gets 404.
  void OnRequest(Handler handler);

  // The requests that were read completely, in that order.
  std::vector<HttpRequest> requests() const;
  // How many connections were accepted.
  int connections() const;
  // When the peer closed or reset this connection, or a handler reset it. nullopt: it is open.
  std::optional<MonotonicTime> closed_at(int connection) const;

  // Wait for this many requests or connections, or until that connection is closed. Return false if `limit` passes
  // first.
  [[nodiscard]] bool AwaitRequests(size_t count, absl::Duration limit = kWaitLimit) const;
  [[nodiscard]] bool AwaitConnections(int count, absl::Duration limit = kWaitLimit) const;
  [[nodiscard]] bool AwaitClosed(int connection, absl::Duration limit = kWaitLimit) const;

 private:
  // Accepts connections and notes which of them the peer closes, even while a handler is busy.
  void Watch();
  void Accept();
  // A connection's thread.
  void Serve(Connection connection);
  void Answer(Connection& connection, const HttpRequest& request);
  void NoteClosed(int connection);
  bool Await(const std::function<bool()>& condition, absl::Duration limit) const;

  const Mode mode_;
  const UniqueFd listener_;
  int port_ = 0;
  UniqueFd filler_;  // kNoHandshake: the only connection that fits into the backlog
  UniqueFd epoll_;
  Event stop_;
  std::thread watcher_;
  std::vector<std::thread> servers_;  // used only by watcher_ until that ends

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<Handler> queued_;
  Handler handler_;
  std::vector<HttpRequest> requests_;
  std::vector<std::optional<MonotonicTime>> closed_at_;  // by connection number, from 1
};

}  // namespace igpt::testing
