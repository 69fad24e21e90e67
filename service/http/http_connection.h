// One TCP connection as httplib reads and writes it.
#pragma once

#include <httplib.h>

#include <array>
#include <string>

#include "absl/time/time.h"

namespace igptd {

// Waits for so long and not longer: for something to read, for room to write, and altogether. The socket stays its
// owner's.
struct HttpPatience {
  absl::Duration read = absl::Minutes(1);
  absl::Duration write = absl::InfiniteDuration();
  absl::Duration connection = absl::InfiniteDuration();  // from its beginning
};

class HttpConnection final : public httplib::Stream {
 public:
  HttpConnection(int fd, const HttpPatience& patience);

  // Whether the next request began to come within the time; false too when the client went away.
  bool WaitForRequest(absl::Duration timeout);

  bool is_readable() const override;
  bool is_writable() const override;  // false once the client went away
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  int socket() const override { return fd_; }

 private:
  // What happened, of `events` and the client's going away, within the time; 0 when nothing did.
  int Poll(int events, absl::Duration timeout) const;

  const int fd_;
  const HttpPatience patience_;
  const absl::Time limit_;         // of the connection
  std::array<char, 4096> buffer_;  // httplib reads header lines byte by byte
  size_t begin_ = 0;               // what was received and not yet read
  size_t end_ = 0;
};

}  // namespace igptd
