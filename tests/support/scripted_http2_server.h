// An HTTP/2 server over TLS that lets a test decide every frame and fault.
//
//   igpt::testing::ScriptedHttp2Server server;
//   server.OnRequest([](igpt::testing::Http2Stream stream) {
//     stream.StartSse();
//     stream.SendSse(R"({"type":"run.start","seq":0,"id":"r1"})");
//     stream.Reset(NGHTTP2_INTERNAL_ERROR);
//   });
//   … let a client whose base_url is server.url(), and that trusts server.authority(), ask …
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "igpt/testing/event.h"
#include "igpt/testing/http_message.h"
#include "tests/support/http2_connection.h"

namespace igpt::testing {

class ScriptedHttp2Server;

// One stream of one connection. A value, which any thread may use while the server lives: a step for a stream or a
// connection that has ended does nothing.
class Http2Stream {
 public:
  int connection() const { return connection_; }  // 1 for the server's first one
  int32_t id() const { return id_; }
  bool operator==(const Http2Stream&) const = default;

  // The request as far as it has come.
  Http2Connection::Stream request() const;
  // How many bytes of its answer the peer's windows hold back.
  size_t Unsent() const;
  // The value of its first header with this name, also of a pseudo one; empty: there is none.
  std::string Header(std::string_view name) const;

  void SendHead(int status, const HttpHeaders& headers, bool end = false) const;
  void SendInterim(int status) const;
  void Send(std::string_view bytes, bool end = false) const;
  void End() const { Send("", /*end=*/true); }
  // A whole answer, with its length.
  void Answer(int status, std::string_view body) const;
  // An event stream; End() ends it.
  void StartSse() const { SendHead(200, {{"content-type", "text/event-stream"}}); }
  template <typename... Json>
  void SendSse(const Json&... json) const {
    (Send(SseEvent(json)), ...);
  }
  void Reset(uint32_t code) const;

  // Steps for its whole connection.
  void GoAway(int32_t last_stream, uint32_t code = NGHTTP2_NO_ERROR) const;
  void Ping() const;
  void Settings(const Http2Settings& settings) const;
  void Freeze() const;  // the connection stays open, but nothing is read or written any more
  void Close() const;   // FIN
  void Cut() const;     // RST

 private:
  friend class ScriptedHttp2Server;
  Http2Stream(ScriptedHttp2Server& server, int connection, int32_t id)
      : server_(&server), connection_(connection), id_(id) {}
  void With(const std::function<void(Http2Connection&)>& step) const;

  ScriptedHttp2Server* server_;
  int connection_;
  int32_t id_;
};

// Listens on a free port of 127.0.0.1, and serves all connections on one thread. Thread-safe.
class ScriptedHttp2Server {
 public:
  // Runs on the server's thread, so it must not wait.
  using Handler = std::function<void(Http2Stream)>;

  // Greets with these settings. `protocol`: what ALPN chooses; empty: nothing, as of a server without ALPN.
  explicit ScriptedHttp2Server(Http2Settings settings = {}, std::string protocol = "h2");
  ~ScriptedHttp2Server();
  ScriptedHttp2Server(const ScriptedHttp2Server&) = delete;
  ScriptedHttp2Server& operator=(const ScriptedHttp2Server&) = delete;

  // "https://127.0.0.1:<port><path>"
  std::string url(std::string_view path = "") const;
  // The authority of its certificate, as PEM.
  std::string authority() const;

  // Handles each request that is whole, the first ones by handlers of their own.
  void OnRequest(Handler handler);
  void OnNextRequest(Handler handler);

  // The requests whose heads came, in that order.
  std::vector<Http2Stream> requests() const;
  int connections() const;
  // What the last of them offered by ALPN, as TLS writes it.
  std::string offered() const;
  bool closed(int connection) const;
  // With what the peer has reset a stream.
  std::optional<uint32_t> reset(const Http2Stream& stream) const;
  // How many PINGs were answered.
  int pongs() const;

  // Waits until `condition`, which may ask this server, holds. Returns false if `limit` passes first.
  [[nodiscard]] bool Await(const std::function<bool()>& condition, absl::Duration limit = kWaitLimit) const;
  [[nodiscard]] bool AwaitRequests(size_t count) const;
  [[nodiscard]] bool AwaitReset(const Http2Stream& stream) const;
  [[nodiscard]] bool AwaitClosed(int connection) const;

 private:
  friend class Http2Stream;
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace igpt::testing
