// One connection of a scripted HTTP/2 server: TLS and a session of nghttp2. Not thread-safe.
#pragma once

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "igpt/testing/http_message.h"
#include "igpt/testing/internal/unique_fd.h"

namespace igpt::testing {

using Http2Settings = std::vector<nghttp2_settings_entry>;

class Http2Connection {
 public:
  // A stream as the peer uses it.
  struct Stream {
    HttpHeaders headers;  // with the pseudo ones
    std::string body;
    bool whole = false;  // the peer has ended it
  };

  // Is told what the peer does, within OnReady().
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void OnHead(int32_t stream) = 0;
    virtual void OnWhole(int32_t stream) = 0;
    virtual void OnReset(int32_t stream, uint32_t code) = 0;
    virtual void OnPong() = 0;
  };

  // The socket doesn't block. `observer` must outlive this. If the settings name a window, only settings open it
  // further.
  Http2Connection(UniqueFd socket, SSL_CTX& tls, const Http2Settings& settings, Observer& observer);
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  int fd() const { return socket_.get(); }
  bool ended() const { return socket_.get() < 0; }
  // Whether to call OnReady() when the socket is writable too.
  bool wants_to_write() const { return wants_to_write_; }
  // Reads what is there, and sends what can be sent.
  void OnReady();

  const Stream& stream(int32_t id) { return streams_[id]; }

  // How much of what a script sent on it still waits for the peer's windows.
  size_t Unsent(int32_t stream) { return outputs_[stream].bytes.size() - outputs_[stream].sent; }

  // Steps of a script. Each sends at once what flow control and the socket allow, and the rest later.
  void Head(int32_t stream, int status, const HttpHeaders& headers, bool end);
  void Interim(int32_t stream, int status);
  void Data(int32_t stream, std::string_view bytes, bool end);
  void Reset(int32_t stream, uint32_t code);
  void GoAway(int32_t last_stream, uint32_t code);
  void Ping();
  void Settings(const Http2Settings& settings);
  // Neither reads nor writes any more, but the connection stays open.
  void Freeze() { frozen_ = true; }
  bool frozen() const { return frozen_; }
  // Ends the connection by FIN, or by RST.
  void Close(bool reset);

 private:
  struct Output {
    std::string bytes;
    size_t sent = 0;   // of these
    bool end = false;  // nothing comes after them
  };

  static Http2Connection& Self(void* user) { return *static_cast<Http2Connection*>(user); }
  static ssize_t ReadOutput(nghttp2_session* session, int32_t stream, uint8_t* buffer, size_t size, uint32_t* flags,
                            nghttp2_data_source* source, void* user);
  void SetCallbacks(nghttp2_session_callbacks* callbacks);
  void OnFrame(const nghttp2_frame& frame);
  void Receive();
  void Flush();

  UniqueFd socket_;
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
  Observer& observer_;
  nghttp2_session* session_ = nullptr;
  std::map<int32_t, Stream> streams_;
  std::map<int32_t, Output> outputs_;
  std::string out_;  // for TLS
  const bool opens_windows_;
  bool wants_to_write_ = false;
  bool frozen_ = false;
};

}  // namespace igpt::testing
