#include "tests/support/http2_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"

namespace igpt::testing {
namespace {

constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Frame types and flags (RFC 9113).
constexpr uint8_t kData = 0;
constexpr uint8_t kHeaders = 1;
constexpr uint8_t kResetStream = 3;
constexpr uint8_t kSettings = 4;
constexpr uint8_t kPing = 6;
constexpr uint8_t kGoAway = 7;
constexpr uint8_t kWindowUpdate = 8;
constexpr uint8_t kContinuation = 9;
constexpr uint8_t kAck = 0x1;
constexpr uint8_t kEndStream = 0x1;
constexpr uint8_t kEndHeaders = 0x4;
constexpr size_t kFrameHeadBytes = 9;
constexpr size_t kMaxFrameBytes = 16'384;  // what every peer must accept

constexpr uint16_t kHeaderTableSize = 1;
constexpr uint16_t kInitialWindowSize = 4;
constexpr uint32_t kCancel = 8;
constexpr int64_t kDefaultWindow = 65'535;

std::string BigEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

uint32_t ReadBigEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

// HPACK's integers, and its strings without Huffman coding.
std::string HpackInteger(uint8_t first, int prefix_bits, size_t value) {
  const size_t max = (size_t{1} << prefix_bits) - 1;
  if (value < max) return {static_cast<char>(first | value)};
  std::string text(1, static_cast<char>(first | max));
  for (value -= max; value >= 128; value >>= 7) text.push_back(static_cast<char>(0x80 | (value & 0x7F)));
  text.push_back(static_cast<char>(value));
  return text;
}

std::string HpackString(std::string_view text) {
  return HpackInteger(0, 7, text.size()).append(text);
}

// The status in a block of trailers. The client forbade the server a dynamic table, so the name is there in full.
std::optional<int> GrpcStatusIn(std::string_view block) {
  constexpr std::string_view kName = "grpc-status";
  const size_t name = block.find(kName);
  if (name == std::string_view::npos || name + kName.size() >= block.size()) return std::nullopt;
  const std::string_view value = block.substr(name + kName.size());
  int status = 0;
  if (!absl::SimpleAtoi(std::string(value.substr(1, static_cast<size_t>(value[0]))), &status)) return std::nullopt;
  return status;
}

UniqueFd Connect(const std::string& address, const std::string& source) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in from = {};
  from.sin_family = AF_INET;
  if (::inet_pton(AF_INET, source.c_str(), &from.sin_addr) != 1 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) < 0) {
    std::perror("bind");
    std::abort();
  }
  sockaddr_in peer = {.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  peer.sin_port = htons(static_cast<uint16_t>(std::atoi(address.substr(address.rfind(':') + 1).c_str())));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) < 0) {
    if (errno == ECONNRESET || errno == ECONNREFUSED) return {};
    std::perror("connect");
    std::abort();
  }
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  return socket;
}

}  // namespace

Http2Client::Http2Client(const std::string& address) : Http2Client(address, Behaviour()) {}

Http2Client::Http2Client(const std::string& address, const Behaviour& behaviour)
    : behaviour_(behaviour), socket_(Connect(address, behaviour.source)), out_(kPreface), ended_(socket_.get() < 0) {
  Frame(kSettings, 0, 0,
        BigEndian(kHeaderTableSize, 2) + BigEndian(0, 4) + BigEndian(kInitialWindowSize, 2) +
            BigEndian(behaviour_.stream_window, 4));
  if (behaviour_.connection_window > kDefaultWindow) {
    Frame(kWindowUpdate, 0, 0, BigEndian(behaviour_.connection_window - kDefaultWindow, 4));
  }
}

void Http2Client::Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  out_.append(BigEndian(payload.size(), 3)).append(BigEndian(type, 1)).append(BigEndian(flags, 1));
  out_.append(BigEndian(stream, 4)).append(payload);
}

uint32_t Http2Client::Open(std::string_view path, const Headers& metadata) {
  std::string block = "\x83\x86";  // :method POST, :scheme http
  if (indexed_path_ == path) {
    block.append("\xC1\xC0\xBF\xBE");  // a call in six bytes
  } else if (indexed_path_.empty()) {
    indexed_path_ = path;
    block.append("\x44").append(HpackString(path)).append("\x41").append(HpackString("igptd"));
    block.append("\x5F").append(HpackString("application/grpc"));
    block.append("\x40").append(HpackString("te")).append(HpackString("trailers"));
  } else {
    block.append("\x04").append(HpackString(path)).append("\xC0\xBF\xBE");
  }
  for (const auto& [name, value] : metadata) {
    block.append(1, '\0').append(HpackString(name)).append(HpackString(value));
  }
  const uint32_t stream = std::exchange(next_stream_, next_stream_ + 2);
  const std::string_view all = block;
  for (size_t at = 0; at < all.size(); at += kMaxFrameBytes) {
    const bool last = at + kMaxFrameBytes >= all.size();
    Frame(at == 0 ? kHeaders : kContinuation, last ? kEndHeaders : 0, stream, all.substr(at, kMaxFrameBytes));
  }
  return stream;
}

void Http2Client::Message(uint32_t stream, std::string_view message, uint8_t flag) {
  const std::string data = std::string(1, static_cast<char>(flag)) + BigEndian(message.size(), 4).append(message);
  connection_window_ -= static_cast<int64_t>(data.size());
  Frame(kData, kEndStream, stream, data);
}

void Http2Client::Data(uint32_t stream, std::string_view bytes) {
  connection_window_ -= static_cast<int64_t>(bytes.size());
  window_changes_[stream] -= static_cast<int64_t>(bytes.size());
  for (size_t at = 0; at < bytes.size(); at += kMaxFrameBytes)
    Frame(kData, 0, stream, bytes.substr(at, kMaxFrameBytes));
}

void Http2Client::EndStream(uint32_t stream) {
  Frame(kData, kEndStream, stream, "");
}

void Http2Client::Reset(uint32_t stream) {
  Frame(kResetStream, 0, stream, BigEndian(kCancel, 4));
}

void Http2Client::Ping() {
  Frame(kPing, 0, 0, "12345678");
}

bool Http2Client::Flush(absl::Duration limit) {
  return Pump([this] { return sent_ == out_.size(); }, /*read=*/true, limit);
}

bool Http2Client::Await(const std::function<bool()>& condition, absl::Duration limit) {
  return Pump(condition, /*read=*/true, limit);
}

void Http2Client::Vanish() {
  sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program = {.len = 1, .filter = &drop};
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) {
    std::perror("SO_ATTACH_FILTER");
    std::abort();
  }
}

const Http2Client::End* Http2Client::EndOf(uint32_t stream) const {
  const auto found = ends_.find(stream);
  return found == ends_.end() ? nullptr : &found->second;
}

int64_t Http2Client::SendWindow(uint32_t stream) const {
  const auto change = window_changes_.find(stream);
  return std::min(connection_window_, initial_window_ + (change == window_changes_.end() ? 0 : change->second));
}

bool Http2Client::Pump(const std::function<bool()>& done, bool read, absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (!done()) {
    if (ended_ || absl::Now() >= deadline) return false;
    const bool to_send = sent_ < out_.size();
    pollfd poll = {socket_.get(), static_cast<short>((read ? POLLIN : 0) | (to_send ? POLLOUT : 0)), 0};
    const absl::Duration patience = std::min(deadline - absl::Now(), absl::Seconds(1));
    ::poll(&poll, 1, static_cast<int>(absl::ToInt64Milliseconds(patience)) + 1);
    if (to_send && (poll.revents & POLLOUT) != 0) {
      const ssize_t size = ::send(socket_.get(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
      if (size > 0) {
        sent_ += static_cast<size_t>(size);
        sent_total_ += static_cast<size_t>(size);
      }
      if (sent_ == out_.size()) {
        out_.clear();
        sent_ = 0;
      }
    }
    if ((poll.revents & (POLLIN | POLLHUP | POLLERR)) != 0) Receive();
  }
  return true;
}

void Http2Client::Receive() {
  std::array<char, 65'536> buffer;
  const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    ended_ = true;
    return;
  }
  in_.append(buffer.data(), static_cast<size_t>(size));
  size_t at = 0;
  while (in_.size() - at >= kFrameHeadBytes) {
    const std::string_view head = std::string_view(in_).substr(at, kFrameHeadBytes);
    const size_t payload = ReadBigEndian(head.substr(0, 3));
    if (in_.size() - at - kFrameHeadBytes < payload) break;
    OnFrame(static_cast<uint8_t>(head[3]), static_cast<uint8_t>(head[4]), ReadBigEndian(head.substr(5)) & 0x7FFFFFFFU,
            std::string_view(in_).substr(at + kFrameHeadBytes, payload));
    at += kFrameHeadBytes + payload;
  }
  in_.erase(0, at);
}

void Http2Client::OnFrame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  switch (type) {
    case kData:
      data_bytes_ += payload.size();
      break;
    case kHeaders:
      OnHeaders(stream, (flags & kEndStream) != 0, payload);
      break;
    case kResetStream:
      ends_[stream].reset = ReadBigEndian(payload);
      ++ends_[stream].resets;
      break;
    case kSettings:
      if ((flags & kAck) != 0) break;
      for (; payload.size() >= 6; payload.remove_prefix(6)) {
        if (ReadBigEndian(payload.substr(0, 2)) == kInitialWindowSize) {
          initial_window_ = ReadBigEndian(payload.substr(2, 4));
        }
      }
      if (behaviour_.acknowledge_settings) Frame(kSettings, kAck, 0, "");
      break;
    case kPing:
      if ((flags & kAck) != 0) {
        ++pongs_;
      } else if (behaviour_.answer_pings) {
        Frame(kPing, kAck, 0, payload);
      }
      break;
    case kGoAway:
      goaway_ = ReadBigEndian(payload.substr(4, 4));
      break;
    case kWindowUpdate:
      (stream == 0 ? connection_window_ : window_changes_[stream]) += ReadBigEndian(payload);
      break;
    default:
      break;
  }
}

void Http2Client::OnHeaders(uint32_t stream, bool last, std::string_view block) {
  if (!last) return;
  ends_[stream].grpc_status = GrpcStatusIn(block);
  ends_[stream].trailers = block;
  ++ends_[stream].end_streams;
}

}  // namespace igpt::testing
