#include "igpt/internal/http/curl_multi.h"

#include <sys/epoll.h>

#include <cerrno>
#include <cstdlib>

#include "absl/base/call_once.h"
#include "igpt/internal/base/monotonic.h"

namespace igpt::internal {
namespace {

// How many idle connections are kept for later calls. Each stream needs a connection of its own, so this follows the
// number of streams that a loop can carry, not the number of hosts.
constexpr long kMaxPooledConnections = 20'000;  // NOLINT(google-runtime-int): libcurl's type

// How many HTTP/2 streams share a connection. For each event on one of them, libcurl (8.21) looks at all: with 100, an
// event of 5,000 slow streams took 195 µs of CPU, with 16 it takes 108, over HTTP/1.1 66. A stream took 47, 74 and 204
// KB.
constexpr long kMaxStreams = 16;  // NOLINT(google-runtime-int): libcurl's type

// How long nothing comes on a connection before its peer may be gone.
constexpr absl::Duration kDoubtfulSilence = absl::Seconds(2);

// Only a mistake of ours or a lack of memory makes these calls fail.
void Require(bool ok) {
  if (!ok) std::abort();
}

CURLM* MakeMulti() {
  static absl::once_flag once;
  absl::call_once(once, [] { Require(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
  CURLM* multi = curl_multi_init();
  Require(multi != nullptr);
  return multi;
}

template <typename Value>
void Set(CURLM* multi, CURLMoption option, Value value) {
  Require(curl_multi_setopt(multi, option, value) == CURLM_OK);
}

// Null for the easy handles that libcurl makes for itself.
CurlMulti::Member* MemberOf(CURL* easy) {
  CurlMulti::Member* member = nullptr;
  Require(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &member) == CURLE_OK);
  return member;
}

}  // namespace

CurlMulti::CurlMulti(int epoll_fd) : epoll_fd_(epoll_fd), multi_(MakeMulti()) {
  Set(multi_, CURLMOPT_SOCKETFUNCTION, OnSocket);
  Set(multi_, CURLMOPT_SOCKETDATA, this);
  Set(multi_, CURLMOPT_TIMERFUNCTION, OnTimer);
  Set(multi_, CURLMOPT_TIMERDATA, this);
  Set(multi_, CURLMOPT_MAXCONNECTS, kMaxPooledConnections);
  Set(multi_, CURLMOPT_MAX_CONCURRENT_STREAMS, kMaxStreams);
}

CurlMulti::~CurlMulti() {
  Require(curl_multi_cleanup(multi_) == CURLM_OK);
}

void CurlMulti::LimitConnections(int limit) {
  Set(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, long{limit});  // NOLINT(google-runtime-int): libcurl's type
  Set(multi_, CURLMOPT_MAXCONNECTS, long{limit});            // NOLINT(google-runtime-int)
}

CURLMcode CurlMulti::Add(CURL* easy) {
  return curl_multi_add_handle(multi_, easy);
}

// If this failed, libcurl would go on using a transfer that is about to be freed.
void CurlMulti::Remove(CURL* easy) {
  Require(curl_multi_remove_handle(multi_, easy) == CURLM_OK);
}

void CurlMulti::DoubtConnection(int local_port) {
  if (sockets_.SilentFor(local_port) < kDoubtfulSilence) return;
#ifdef CURLMNWC_CLEAR_CONNS  // a libcurl without it has no HTTP/2 for us: see http2.cc
  // For all connections, as one can't be named. Whoever uses them continues to.
  curl_multi_setopt(multi_, CURLMOPT_NETWORK_CHANGED, CURLMNWC_CLEAR_CONNS);
#endif
}

void CurlMulti::Hold(Member& member) {
  member.held_ = true;
  if (member.socket_ != CURL_SOCKET_BAD) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, member.socket_, nullptr);
}

void CurlMulti::Release(Member& member) {
  if (!member.held_) return;
  member.held_ = false;
  if (member.socket_ != CURL_SOCKET_BAD) Watch(EPOLL_CTL_ADD, member.socket_, member.events_);
}

void CurlMulti::OnSocketReady(int fd, uint32_t epoll_events) {
  int action = 0;
  if ((epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) action |= CURL_CSELECT_IN;
  if ((epoll_events & EPOLLOUT) != 0) action |= CURL_CSELECT_OUT;
  Act(fd, action);
}

absl::Duration CurlMulti::UntilTimer() const {
  return timer_ == kNoTimer ? absl::InfiniteDuration() : absl::Nanoseconds(timer_ - MonotonicNanos());
}

void CurlMulti::RunDueTimer() {
  if (timer_ == kNoTimer || timer_ > MonotonicNanos()) return;
  timer_ = kNoTimer;
  Act(CURL_SOCKET_TIMEOUT, 0);
}

// What goes wrong with a transfer is that transfer's result. The call itself fails only for a socket that was closed
// earlier in this turn, whose event has no meaning any more.
void CurlMulti::Act(curl_socket_t fd, int action) {
  int running;
  const CURLMcode result = curl_multi_socket_action(multi_, fd, action, &running);
  Require(result == CURLM_OK || result == CURLM_BAD_SOCKET);
}

void CurlMulti::ReportCompleted() {
  int left;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    // The message does not outlive the removal of its handle.
    const CURLcode result = message->data.result;
    MemberOf(message->easy_handle)->OnCompleted(result);
  }
}

// `operation`: EPOLL_CTL_ADD or EPOLL_CTL_MOD, whichever is likelier to be the right one.
void CurlMulti::Watch(int operation, curl_socket_t fd, uint32_t events) {
  epoll_event event = {};
  event.data.fd = fd;
  event.events = events;
  if (epoll_ctl(epoll_fd_, operation, fd, &event) == 0) return;
  if (epoll_ctl(epoll_fd_, operation == EPOLL_CTL_ADD ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0) return;
  Require(errno != ENOMEM && errno != ENOSPC);  // the transfer would wait in vain; other errors mean a closed socket
}

int CurlMulti::OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void* /*registered*/) {
  auto* multi = static_cast<CurlMulti*>(self);
  Member* member = MemberOf(easy);
  const bool known = member != nullptr && member->socket_ == fd;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(multi->epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
    if (known) member->socket_ = CURL_SOCKET_BAD;
    return 0;
  }
  uint32_t events = 0;
  if ((what & CURL_POLL_IN) != 0) events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) events |= EPOLLOUT;
  if (member != nullptr) {
    member->socket_ = fd;
    member->events_ = events;
    if (member->held_) return 0;
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
