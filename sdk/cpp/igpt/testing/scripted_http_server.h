// An HTTP/1.1 server that lets a test decide every byte and fault.
//
//   igpt::testing::ScriptedHttpServer server;
//   server.OnRequest([](igpt::testing::Exchange& exchange) {
//     exchange.StartSse();
//     exchange.SendSse(R"({"type":"run.start","seq":0,"id":"r1"})");
//     exchange.Reset();
//   });
//   … let a client whose base_url is server.url() ask …
//   ASSERT_TRUE(server.AwaitRequests(1));
//   EXPECT_EQ(server.requests()[0].target, "/recall/ask/");
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "igpt/monotonic_time.h"
#include "igpt/testing/event.h"
#include "igpt/testing/exchange.h"
#include "igpt/testing/http_message.h"

namespace igpt::testing {

// Answers one request. Runs on the thread of its connection, so handlers of several connections run at the same time.
// If it returns without Close() or Reset(), the connection stays open, and the next request on it is the next exchange.
// Whatever it captures by reference must be declared before the server, so that it outlives the last handler.
using Handler = std::function<void(Exchange&)>;

// Listens on a free port of 127.0.0.1. Thread-safe; its threads take no signals.
//
// Requests with a body must frame it by Content-Length; if a request isn't HTTP/1.1, the server closes the connection.
// The destructor ends every exchange and joins every thread: it waits for handlers, whose steps then all fail at once.
// If the machine has no socket or thread left for it, it ends the program.
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

  int port() const;
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
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace igpt::testing
