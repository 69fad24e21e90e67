#include "bench/load/connection.h"

#include <sys/epoll.h>

#include <vector>

#include "bench/load/clock.h"

namespace igpt::bench {
namespace {

constexpr size_t kReceiveBytes = size_t{256} << 10;

}  // namespace

Connection::Connection(const Endpoint& endpoint, int epoll) : epoll_(epoll), transport_(endpoint) {
  Watch(EPOLL_CTL_ADD, false);
}

void Connection::Watch(int operation, bool output) {
  epoll_event event = {};
  event.events = output ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = this;
  ::epoll_ctl(epoll_, operation, transport_.fd(), &event);
  watching_output_ = output;
}

void Connection::OnReady() {
  static std::vector<char> buffer(kReceiveBytes);  // there is only one thread
  while (open_) {
    const ssize_t received = transport_.Read(buffer.data(), buffer.size());
    if (received == 0) break;
    if (received < 0 || !Receive({buffer.data(), static_cast<size_t>(received)}, Now())) {
      Close();
      break;
    }
    if (!transport_.MayHaveMore(received, buffer.size())) break;
  }
  Flush();
}

void Connection::Flush() {
  if (!open_) return;
  Produce(unsent_);
  while (!unsent_.empty()) {
    const ssize_t sent = transport_.Write(unsent_);
    if (sent < 0) return Close();
    if (sent == 0) break;
    unsent_.erase(0, static_cast<size_t>(sent));
  }
  if (unsent_.empty() == watching_output_) Watch(EPOLL_CTL_MOD, !unsent_.empty());
}

void Connection::Close() {
  open_ = false;
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, transport_.fd(), nullptr);
  FailCalls(Now());
}

}  // namespace igpt::bench
