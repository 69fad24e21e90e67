#include "igpt/testing/internal/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "igpt/testing/internal/await_fd.h"

namespace igpt::testing {
namespace {

constexpr size_t kReceiveBytes = 64 << 10;

// The send buffer is fixed, so that a reader that stops is noticed soon, at a point that tests can calculate.
constexpr int kSendBufferBytes = 64 << 10;

void SetOption(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

Connection::Connection(int number, UniqueFd socket, const Event& stop)
    : number_(number), socket_(std::move(socket)), stop_(stop) {
  SetOption(socket_.get(), SOL_SOCKET, SO_SNDBUF, kSendBufferBytes);
  // Each send is a segment of its own, so that tests decide where segments end.
  SetOption(socket_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
}

bool Connection::Receive(std::string& buffer) {
  if (!sending_ || !AwaitFd(socket_.get(), POLLIN, absl::InfiniteDuration(), &stop_)) return false;
  const size_t old_size = buffer.size();
  buffer.resize(old_size + kReceiveBytes);
  const ssize_t received = ::recv(socket_.get(), buffer.data() + old_size, kReceiveBytes, 0);
  buffer.resize(old_size + (received > 0 ? static_cast<size_t>(received) : 0));
  return received > 0;
}

bool Connection::Send(std::string_view bytes) {
  return SendAll(std::exchange(unsent_, {})) && SendAll(bytes);
}

bool Connection::SendAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = SendSome(bytes);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
    if (sent == 0 && !AwaitFd(socket_.get(), POLLOUT, absl::InfiniteDuration(), &stop_)) return false;
  }
  return sending_;
}

size_t Connection::SendUntilBlocked(std::string_view piece, size_t limit, absl::Duration quiet) {
  const std::string old_rest = std::exchange(unsent_, {});
  std::string_view rest = old_rest;
  size_t total = 0;
  while (total < limit) {
    const std::string_view next = rest.empty() ? piece : rest;
    const ssize_t sent = SendSome(next);
    if (sent < 0) return total;
    if (sent == 0) {
      if (!AwaitFd(socket_.get(), POLLOUT, quiet, &stop_)) break;
      continue;
    }
    rest = next.substr(static_cast<size_t>(sent));
    total += static_cast<size_t>(sent);
  }
  unsent_ = rest;
  return total;
}

ssize_t Connection::SendSome(std::string_view bytes) {
  if (!sending_ || stop_.IsSet()) return -1;
  const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

bool Connection::AwaitPeerClosed(absl::Duration limit) {
  return socket_.get() < 0 || AwaitFd(socket_.get(), POLLRDHUP, limit, &stop_);
}

bool Connection::AwaitEvent(const Event& event) const {
  return AwaitFd(event.fd(), POLLIN, absl::InfiniteDuration(), &stop_) && event.IsSet();
}

void Connection::CloseSending() {
  if (std::exchange(sending_, false)) ::shutdown(socket_.get(), SHUT_WR);
}

void Connection::Reset() {
  sending_ = false;
  const linger no_linger = {.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &no_linger, sizeof no_linger);
  socket_.Close();
}

}  // namespace igpt::testing
