// A small HTTP/1.1 server: every connection has a thread of its own while it is open, up to a limit, and Stop() ends
// everything at once. Nothing is compressed or held back: what is written is on the wire. Ranges are ignored.
//
// At the limit, a new connection takes the place of one whose client lets it wait, so that clients that open
// connections and send nothing keep nobody out.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "service/http/http_connection.h"
#include "service/http/http_listen.h"
#include "service/http/http_message.h"

namespace igptd {

struct HttpLimits {
  HttpPatience patience;
  absl::Duration idle;     // how long a connection may wait for a request
  bool keep_alive;         // false: one request a connection
  size_t max_connections;  // at once; one more ends another
  size_t max_body;
};

class HttpServer {
 public:
  HttpServer(const HttpLimits& limits, HttpHandler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // As Listen does. Whoever connects waits until Serve.
  absl::Status Bind(const std::string& address);

  // After Bind: the port, and "127.0.0.1:41234", where a client on this machine finds the server.
  int port() const { return socket_.port; }
  const std::string& authority() const { return socket_.authority; }

  // Serves until Stop; then waits for its threads.
  void Serve();

  // Ends Serve and every connection. From any thread.
  void Stop();

 private:
  // What a connection's thread does.
  enum class State { kReads, kAnswers, kWrites };
  struct Open {
    int fd;
    State state = State::kReads;
    bool ended = false;  // to make room
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  };

  // Waits until there is a place for one more connection; false: the server stops.
  bool MakeRoom(std::unique_lock<std::mutex>& lock);
  // The connection that is to end for another; null if none waits for its client, or one is ending already.
  Open* LeastDeserving();
  void Close(std::list<Open>::iterator connection);
  void SetState(Open& connection, State state);
  void ServeConnection(std::list<Open>::iterator connection);
  void Exchange(Open& open);
  HttpResponse Answer(const HttpRequest& request) const;

  const HttpLimits limits_;
  const HttpHandler handler_;
  ListeningSocket socket_;
  std::mutex mutex_;  // guards what follows
  bool stopping_ = false;
  std::list<Open> connections_;      // the oldest first
  std::condition_variable changed_;  // one of them, or their number
};

}  // namespace igptd
