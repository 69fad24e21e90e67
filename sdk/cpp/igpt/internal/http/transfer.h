// One HTTP request over libcurl: one easy handle, on the loop's thread.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "igpt/internal/http/curl_multi.h"
#include "igpt/internal/http/response_head.h"
#include "igpt/options.h"

namespace igpt::internal {

// Takes the body of an answer, straight from libcurl.
class BodyReceiver {
 public:
  virtual ~BodyReceiver() = default;
  // The next bytes. Runs inside libcurl: it must not touch the transfer beyond Pause(), nor run any code of a user. An
  // error ends the transfer, whose body_status() it becomes.
  virtual absl::Status OnBody(std::string_view bytes) = 0;
};

class Transfer final : private CurlMulti::Member {
 public:
  struct Request {
    std::string url;
    std::vector<std::string> headers;  // "Name: value", already checked
    std::string_view body;             // must outlive the transfer, or the time until it is sent whole
    std::vector<std::string> resolve;  // CURLOPT_RESOLVE entries, for all hosts that are no addresses
    absl::Duration connect_timeout;
    std::shared_ptr<const std::string> authorities;  // as PEM; null or empty: none
    std::string ca_dir;                              // with more of them; if it is empty too: the system's
    std::string_view client_certificate;             // as PEM; empty: none. Must outlive the transfer, like its key
    std::string_view client_key;
    std::string proxy;  // empty: none
    HttpVersion http_version = HttpVersion::k1_1;
    // Waits for a connection that is being opened, in case it can be shared, instead of opening another one. With a
    // server without HTTP/2, libcurl (8.21) lets it wait until another transfer ends.
    bool wait_to_share = false;
    int buffer_bytes = 16 << 10;  // how much is read at once
    // A pooled connection may be dead, and libcurl would then silently send the request again. On a fresh one it does
    // so only if an HTTP/2 server says that it has not processed the request (REFUSED_STREAM, GOAWAY).
    bool fresh_connection = false;
    int max_sends = 1;  // how often libcurl may send it, the first time included
  };

  // Is told how the transfer goes, always on the loop's thread.
  class Handler {
   public:
    virtual ~Handler() = default;
    // The head of the final answer (not of a 1xx). Returns who takes the body; null: it is an error's, of which only so
    // much is read as it takes to use the connection again. Runs inside libcurl, like BodyReceiver::OnBody.
    virtual BodyReceiver* OnHead(const ResponseHead& head) = 0;
    // The end. `result` is CURLE_OK when the answer was read whole. May destroy the transfer.
    virtual void OnCompleted(CURLcode result) = 0;
  };

  // `handler` must outlive the transfer.
  Transfer(CurlMulti& multi, Request request, Handler& handler);

  // Aborts the request when it has not completed: the connection is closed at once.
  ~Transfer() override;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Sends the request. Other than CURLE_OK: it could not be started, and the handler will hear nothing.
  [[nodiscard]] CURLcode Start();

  // Stops and restarts reading the answer. libcurl still delivers what it has read after Pause(): at most one buffer.
  // Resume() may hand over bytes before it returns, and must not be called inside libcurl. Other than CURLE_OK: the
  // transfer has failed, and OnCompleted may not come.
  void Pause();
  [[nodiscard]] CURLcode Resume();
  bool paused() const { return paused_; }

  // Since when nothing has come, in monotonic nanoseconds: the last bytes, or Resume(). For once the head was there.
  int64_t idle_since() const { return idle_since_; }

  // The receiver's error, if it gave one.
  const absl::Status& body_status() const { return body_status_; }

  // Whether the answer came over HTTP/2, so that other transfers may use the same connection.
  bool Multiplexed() const { return http_version_ == CURL_HTTP_VERSION_2_0; }

  // Whether a byte of the request may have left this machine. What is sent to a proxy, to be led on, is none of it.
  bool RequestSent() const { return sends_ > 0; }

  // Whether all of the request has been sent, so that its body is not needed any more.
  bool RequestSentWhole() const;

  // The HTTP status with which a proxy refused to lead on to the server; 0: it did not.
  int ProxyRefusal() const;
  // Whether a proxy has led on to the server, after CONNECT.
  bool Tunnelled() const;

  // How often the request was sent: more than once when pooled connections turned out to be dead.
  int sends() const { return sends_; }

  // Whether the request was not sent because there was something to read already on the pooled connection it was given:
  // its end, or an answer that nobody asked for and that must not be taken for this request's. That connection is
  // closed now.
  bool spoiled() const { return spoiled_ && sends_ == 0; }

  // How many connections were begun for it.
  int NewConnections() const;

  // libcurl's own words about a failure. May hold host names; for telling certificate errors apart.
  std::string_view detail() const { return error_.data(); }

 private:
  struct CurlFree {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  static curl_socket_t OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int OnCloseSocket(void* sockets, curl_socket_t socket);
  static int OnSend(void* self, char* remote_ip, char* local_ip, int remote_port, int local_port);
  static int OnWords(CURL* easy, curl_infotype kind, char* text, size_t size, void* self);
  static size_t OnHeaderLine(const char* data, size_t size, size_t count, void* self);
  static size_t OnData(const char* data, size_t size, size_t count, void* self);
  void OnCompleted(CURLcode result) override;
  CURLcode SetOptions();
  bool IsSpoiled() const;
  bool MaySend() const;
  void Remove();
  int ConnectStatus() const;
  bool TakeHeaderLine(std::string_view line);
  bool TakeHead();
  bool TakeBody(std::string_view bytes);

  CurlMulti& multi_;
  const Request request_;
  Handler& handler_;
  std::unique_ptr<curl_slist, CurlFree> headers_;
  std::unique_ptr<curl_slist, CurlFree> resolve_;
  std::vector<char> error_;
  std::unique_ptr<CURL, CurlFree> easy_;  // after what it points to
  HeadWatch head_watch_;
  BodyReceiver* receiver_ = nullptr;  // of the body that comes
  size_t ignored_bytes_ = 0;          // of a body without receiver
  absl::Status body_status_;
  int64_t idle_since_ = 0;
  int sends_ = 0;
  int local_port_ = 0;    // of the connection that it was sent on last; 0: none
  int http_version_ = 0;  // of the answer, as libcurl numbers it; 0: none came yet
  bool running_ = false;  // libcurl has it
  bool paused_ = false;
  // An HTTP/2 server wants it with HTTP/1.1, which doesn't prove that it has not processed it. Known on fresh
  // connections only.
  bool downgraded_ = false;
  bool send_refused_ = false;
  bool spoiled_ = false;
};

}  // namespace igpt::internal
