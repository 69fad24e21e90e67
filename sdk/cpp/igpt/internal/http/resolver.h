// The addresses of one host, looked up off the loop.
//
// libcurl's own resolver blocks its thread when a transfer is cancelled during a look-up, and a cancel must act at once
// (https://github.com/curl/curl/issues/8515). So names are resolved here with the system's getaddrinfo, on a thread
// that exists only while it runs, and libcurl is given addresses.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "igpt/observer.h"
#include "igpt/unstable/event_loop.h"

namespace igpt::internal {

// Belongs to its loop's thread.
class Resolver {
 public:
  // A CURLOPT_RESOLVE entry: "host:port:address,address".
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;

  // `observer`, if any, is told about look-ups.
  Resolver(EventLoop& loop, std::string host, int port, std::shared_ptr<Observer> observer = nullptr);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Gives the host's addresses: at once when they are known and at most 5 minutes old, else when a look-up ends. Those
  // older than 30 s are also looked up again, for the next call. NOT_FOUND or UNAVAILABLE when the look-up fails. At
  // most one is under way; all that wait share it.
  void Resolve(Done done);

 private:
  struct Mailbox;
  void StartLookup();
  void Finish(absl::StatusOr<std::string> entry);

  EventLoop& loop_;
  const std::string host_;
  const int port_;
  const std::shared_ptr<Observer> observer_;
  std::string entry_;        // empty: not known
  int64_t resolved_at_ = 0;  // monotonic nanoseconds
  bool looking_up_ = false;
  std::vector<Done> waiting_;
  const std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace igpt::internal
