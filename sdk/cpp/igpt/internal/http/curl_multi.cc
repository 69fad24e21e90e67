#include "igpt/internal/http/curl_multi.h"

#include <sys/epoll.h>

#include <cstdlib>

#include "absl/base/call_once.h"
#include "igpt/internal/monotonic.h"

namespace igpt::internal {
namespace {

// Idle connections that are kept for later calls. A stream needs one of its own, so this follows the number of streams
// that a loop can carry, not the number of hosts.
constexpr long kMaxPooledConnections = 20'000;  // NOLINT(google-runtime-int): libcurl's type

CURLM* MakeMulti() {
  static absl::once_flag once;
  absl::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) std::abort();  // out of memory
  return multi;
}

}  // namespace

CurlMulti::CurlMulti(int epoll_fd) : epoll_fd_(epoll_fd), multi_(MakeMulti()) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxPooledConnections);
}

CurlMulti::~CurlMulti() {
  curl_multi_cleanup(multi_);
}

void CurlMulti::Add(CURL* easy) {
  curl_multi_add_handle(multi_, easy);
}

void CurlMulti::Remove(CURL* easy) {
  curl_multi_remove_handle(multi_, easy);
}

void CurlMulti::Hold(Transfer& transfer) {
  transfer.held_ = true;
  if (transfer.socket_ != CURL_SOCKET_BAD) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, transfer.socket_, nullptr);
}

void CurlMulti::Release(Transfer& transfer) {
  transfer.held_ = false;
  if (transfer.socket_ != CURL_SOCKET_BAD) Watch(EPOLL_CTL_ADD, transfer.socket_, transfer.events_);
}

void CurlMulti::OnSocketReady(int fd, uint32_t epoll_events) {
  int action = 0;
  if ((epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) action |= CURL_CSELECT_IN;
  if ((epoll_events & EPOLLOUT) != 0) action |= CURL_CSELECT_OUT;
  int running;
  curl_multi_socket_action(multi_, fd, action, &running);
}

absl::Duration CurlMulti::UntilTimer() const {
  return timer_ == kNoTimer ? absl::InfiniteDuration() : absl::Nanoseconds(timer_ - MonotonicNanos());
}

void CurlMulti::RunDueTimer() {
  if (timer_ == kNoTimer || timer_ > MonotonicNanos()) return;
  timer_ = kNoTimer;
  int running;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
}

void CurlMulti::ReportCompleted() {
  int left;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    // The message does not outlive the removal of its handle.
    const CURLcode result = message->data.result;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    transfer->OnCompleted(result);
  }
}

// `operation`: EPOLL_CTL_ADD or EPOLL_CTL_MOD, whichever is likelier to be the right one.
void CurlMulti::Watch(int operation, curl_socket_t fd, uint32_t events) {
  epoll_event event = {};
  event.data.fd = fd;
  event.events = events;
  if (epoll_ctl(epoll_fd_, operation, fd, &event) == 0) return;
  epoll_ctl(epoll_fd_, operation == EPOLL_CTL_ADD ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

int CurlMulti::OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void* /*registered*/) {
  auto* multi = static_cast<CurlMulti*>(self);
  Transfer* transfer = nullptr;  // stays so for handles of libcurl's own
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
  const bool known = transfer != nullptr && transfer->socket_ == fd;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(multi->epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
    if (known) transfer->socket_ = CURL_SOCKET_BAD;
    return 0;
  }
  uint32_t events = 0;
  if ((what & CURL_POLL_IN) != 0) events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) events |= EPOLLOUT;
  if (transfer != nullptr) {
    transfer->socket_ = fd;
    transfer->events_ = events;
    if (transfer->held_) return 0;
  }
  multi->Watch(known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, events);
  return 0;  // anything else would end every transfer of this handle
}

int CurlMulti::OnTimer(CURLM* /*multi*/, long timeout_ms, void* self) {  // NOLINT(google-runtime-int)
  static_cast<CurlMulti*>(self)->timer_ =
      timeout_ms < 0 ? kNoTimer : MonotonicNanos() + int64_t{timeout_ms} * 1'000'000;
  return 0;
}

}  // namespace igpt::internal
