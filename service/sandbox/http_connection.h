// One TCP connection as httplib reads and writes it.
#pragma once

#include <httplib.h>

#include <array>
#include <string>

namespace igptd::sandbox {

// Reading waits for a minute at most, writing for as long as the client is there. The socket stays its owner's.
class HttpConnection final : public httplib::Stream {
 public:
  explicit HttpConnection(int fd) : fd_(fd) {}

  // Whether the next request began to come within the time; false too when the client went away.
  bool WaitForRequest(int timeout_ms);

  bool is_readable() const override;
  bool is_writable() const override;  // false once the client went away
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  int socket() const override { return fd_; }

 private:
  const int fd_;
  std::array<char, 4096> buffer_;  // httplib reads header lines byte by byte
  size_t begin_ = 0;               // what was received and not yet read
  size_t end_ = 0;
};

}  // namespace igptd::sandbox
