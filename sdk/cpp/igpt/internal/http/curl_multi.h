// libcurl's multi handle on an epoll set that somebody else waits on. Passive: the event loop drives it, on its thread.
#pragma once

#include <curl/curl.h>

#include <cstdint>

#include "absl/time/time.h"
#include "igpt/internal/http/open_sockets.h"

namespace igpt::internal {

class CurlMulti {
 public:
  // Who is told that a transfer ended; set as CURLOPT_PRIVATE of its easy handle.
  class Transfer {
   public:
    virtual ~Transfer() = default;
    // The transfer ended by itself with `result`. May remove the handle and destroy itself.
    virtual void OnCompleted(CURLcode result) = 0;

   protected:
    bool held() const { return held_; }

   private:
    friend class CurlMulti;
    curl_socket_t socket_ = CURL_SOCKET_BAD;  // that libcurl waits for on its behalf
    uint32_t events_ = 0;                     // epoll's, that it waits for
    bool held_ = false;
  };

  // Registers libcurl's sockets in `epoll_fd`, with data.fd set, and takes them out again.
  explicit CurlMulti(int epoll_fd);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  // What transfers that are added have to open and close their sockets with.
  OpenSockets& sockets() { return sockets_; }

  // Starts and ends a transfer. Removing one that has not completed aborts it: its connection is closed at once. Never
  // from within a callback of libcurl.
  void Add(CURL* easy);
  void Remove(CURL* easy);

  // Stops and restarts waiting for the transfer's socket. To be called before libcurl is told to pause or to go on:
  // libcurl 8.5.0 goes on waiting for what a paused transfer is to read, and keeps up to 64 MiB of it.
  void Hold(Transfer& transfer);
  void Release(Transfer& transfer);

  // One of libcurl's sockets is ready.
  void OnSocketReady(int fd, uint32_t epoll_events);

  // How long until RunDueTimer has something to do; infinite when never.
  absl::Duration UntilTimer() const;
  void RunDueTimer();

  // Tells the transfers that ended since the last time.
  void ReportCompleted();

 private:
  static constexpr int64_t kNoTimer = INT64_MAX;

  void Watch(int operation, curl_socket_t fd, uint32_t events);
  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void* registered);
  static int OnTimer(CURLM* multi, long timeout_ms, void* self);  // NOLINT(google-runtime-int): libcurl's type

  const int epoll_fd_;
  OpenSockets sockets_;
  CURLM* const multi_;
  int64_t timer_ = kNoTimer;  // monotonic nanoseconds
};

}  // namespace igpt::internal
