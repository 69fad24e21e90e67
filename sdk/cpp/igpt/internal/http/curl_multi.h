// libcurl's multi handle on an epoll set that somebody else waits on. Passive: the event loop drives it, on its thread.
#pragma once

#include <curl/curl.h>

#include <cstdint>

#include "absl/time/time.h"
#include "igpt/internal/http/open_sockets.h"

namespace igpt::internal {

class CurlMulti {
 public:
  // One easy handle of the multi handle, as seen by whoever owns it. Set as the easy handle's CURLOPT_PRIVATE.
  class Member {
   public:
    virtual ~Member() = default;
    // The transfer ended by itself with `result`. May remove the handle and destroy itself.
    virtual void OnCompleted(CURLcode result) = 0;

   private:
    friend class CurlMulti;
    curl_socket_t socket_ = CURL_SOCKET_BAD;  // that libcurl waits for on its behalf
    uint32_t events_ = 0;                     // of epoll, that it waits for
    bool held_ = false;
  };

  // Registers libcurl's sockets in `epoll_fd`, with data.fd set, and takes them out again.
  explicit CurlMulti(int epoll_fd);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  // The sockets of its transfers: each easy handle must open and close them here.
  OpenSockets& sockets() { return sockets_; }

  // At most this many connections, with those that wait to be used again. Transfers beyond them wait.
  void LimitConnections(int limit);

  // Starts a transfer. Other than CURLM_OK: it was not started, and OnCompleted will not come.
  [[nodiscard]] CURLMcode Add(CURL* easy);
  // Ends a transfer that was started. One that has not completed is aborted: its connection is closed at once. Must not
  // be called from within a callback of libcurl.
  void Remove(CURL* easy);

  // A transfer was aborted on the connection from this local port. If that is still there, others share it (HTTP/2); if
  // nothing has come on it for some seconds, its peer may be gone, and no further transfer gets it.
  void DoubtConnection(int local_port);

  // Stops and restarts waiting for the transfer's socket, which it has for itself (HTTP/1.1). To be called before
  // libcurl is told to pause or to go on: libcurl 8.5.0 keeps reading for a paused transfer, and stores up to 64 MiB of
  // it. Release() does nothing without Hold().
  void Hold(Member& member);
  void Release(Member& member);

  // One of libcurl's sockets is ready.
  void OnSocketReady(int fd, uint32_t epoll_events);

  // How long until RunDueTimer has something to do; infinite when never.
  absl::Duration UntilTimer() const;
  void RunDueTimer();

  // Calls OnCompleted for the transfers that ended since the last time.
  void ReportCompleted();

 private:
  static constexpr int64_t kNoTimer = INT64_MAX;

  void Act(curl_socket_t fd, int action);
  void Watch(int operation, curl_socket_t fd, uint32_t events);
  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void* registered);
  static int OnTimer(CURLM* multi, long timeout_ms, void* self);  // NOLINT(google-runtime-int): libcurl's type

  const int epoll_fd_;
  OpenSockets sockets_;
  CURLM* const multi_;
  int64_t timer_ = kNoTimer;  // monotonic nanoseconds
};

}  // namespace igpt::internal
