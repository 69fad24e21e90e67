// One HTTP request over libcurl: one easy handle, on the loop's thread.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "igpt/internal/http/curl_multi.h"
#include "igpt/internal/http/head_reader.h"
#include "igpt/internal/policy/http_status.h"

namespace igpt::internal {

class Transfer final : private CurlMulti::Transfer {
 public:
  struct Request {
    std::string url;
    std::vector<std::string> headers;  // "Name: value", already checked
    std::string_view body;             // must outlive the transfer
    std::string resolve;               // a CURLOPT_RESOLVE entry; empty: the host is an address
    absl::Duration connect_timeout;
    std::string ca_file;            // empty: the system's
    std::string proxy;              // empty: none
    int buffer_bytes = 16 << 10;    // how much is read at once
    bool fresh_connection = false;  // a pooled one may be dead, and libcurl would send the request again in silence
    int max_sends = 1;              // how often it may do so, the first time included
  };

  // Is told what comes, always on the loop's thread. OnHead and OnBody run inside libcurl: they must not touch the
  // transfer beyond Pause(). Returning false aborts it; OnCompleted then still comes.
  class Observer {
   public:
    virtual ~Observer() = default;
    // The head of the final answer (not of a 1xx).
    virtual bool OnHead(const ResponseHead& head) = 0;
    virtual bool OnBody(std::string_view bytes) = 0;
    // The end. `result` is CURLE_OK when the answer was read whole. May destroy the transfer.
    virtual void OnCompleted(CURLcode result) = 0;
  };

  // Starts the request. `observer` must outlive the transfer.
  Transfer(CurlMulti& multi, Request request, Observer& observer);

  // Aborts the request when it has not completed: the connection is closed at once.
  ~Transfer() override;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Stops and restarts reading the answer. What libcurl has already read is still delivered after Pause(): at most one
  // buffer. Resume() may call OnBody before it returns, and must not be called inside libcurl.
  void Pause();
  void Resume();
  bool paused() const { return held(); }

  // Whether a byte of the request may have left this machine.
  bool RequestSent() const;

  // How often the request was sent: more than once when pooled connections turned out to be dead.
  int sends() const { return sends_; }

  // Whether the request was not sent, since the pooled connection that it was given had something to say already: its
  // end, or an answer that nobody asked for, which must not be taken for this request's. That connection is closed now.
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
  static size_t OnHeaderLine(const char* data, size_t size, size_t count, void* self);
  static size_t OnData(const char* data, size_t size, size_t count, void* self);
  void OnCompleted(CURLcode result) override;
  bool IsSpoiled(int local_port) const;
  bool TakeHeaderLine(std::string_view line);

  CurlMulti& multi_;
  const Request request_;
  Observer& observer_;
  std::unique_ptr<curl_slist, CurlFree> headers_;
  std::unique_ptr<curl_slist, CurlFree> resolve_;
  std::vector<char> error_;
  std::unique_ptr<CURL, CurlFree> easy_;  // after what it points to
  HeadReader head_;
  int sends_ = 0;
  bool send_refused_ = false;
  bool spoiled_ = false;
  bool completed_ = false;
};

}  // namespace igpt::internal
