// What the calls of one client share, on their loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "igpt/internal/base/log.h"
#include "igpt/internal/base/monotonic.h"
#include "igpt/internal/call/callbacks.h"
#include "igpt/internal/call/places.h"
#include "igpt/internal/http/base_url.h"
#include "igpt/internal/http/resolver.h"
#include "igpt/internal/policy/retry_policy.h"
#include "igpt/internal/policy/throttle.h"
#include "igpt/options.h"
#include "igpt/transport.h"
#include "igpt/unstable/event_loop.h"

namespace igpt::internal {

class CallLimits;

struct ClientCore {
  ClientCore(EventLoop& event_loop, Options checked_options, BaseUrl parsed_base_url, std::string client,
             std::string agent)
      : loop(event_loop),
        options(std::move(checked_options)),
        places(options.max_calls_in_flight),
        log(std::make_shared<const Log>(options.log)),
        callbacks(std::make_shared<Callbacks>(options.executor, log)),
        authorities(std::make_shared<const std::string>(options.ca_pem)),
        base_url(std::move(parsed_base_url)),
        client_name(std::move(client)),
        user_agent(std::move(agent)) {}

  // Whom a request is for.
  template <typename Request>
  const std::string& UserOf(const Request& request) const {
    return request.user.empty() ? options.user : request.user;
  }

  // The same, for the throttle.
  Throttle::Who WhoOf(const std::string& user, const CallOptions& call) const {
    const std::string& key = call.api_key.empty() ? options.api_key : call.api_key;
    const std::string& group = call.throttle_group.empty() ? key : call.throttle_group;
    return {.group = absl::HashOf(group), .user = absl::HashOf(user)};
  }

  // Writes that the throttle held a request back, at most once a second. May close the client.
  void NoteHeldBack() {
    constexpr int64_t kSecond = 1'000'000'000;
    ++unnoted_held_back;
    const int64_t now = MonotonicNanos();
    if (!log->wanted() || now < next_note_held_back) return;
    next_note_held_back = now + kSecond;
    log->Note(absl::StrCat("requests held back because most requests to iGPT are failing: ",
                           std::exchange(unnoted_held_back, 0)));
  }

  EventLoop& loop;
  Options options;  // api_key may change; nothing else does
  Places places;
  const std::shared_ptr<const Log> log;
  const std::shared_ptr<Callbacks> callbacks;
  std::shared_ptr<const std::string> authorities;  // as PEM; empty: the system's
  const BaseUrl base_url;
  const std::string client_name;
  const std::string user_agent;  // firewalls refuse requests without one
  BaseUrl proxy;                 // Options::proxy; without a host: none
  // Of the hosts whose addresses libcurl needs: the one that is connected to, and for a socks5 proxy also the server.
  std::vector<std::unique_ptr<Resolver>> resolvers;
  RetryBudget retry_budget;
  Throttle throttle;
  int64_t unnoted_held_back = 0;
  int64_t next_note_held_back = 0;  // monotonic nanoseconds
  bool multiplexed = false;         // the last answer came over HTTP/2
  absl::BitGen random;
  std::shared_ptr<Transport> transport;    // null: HTTP
  absl::flat_hash_set<CallLimits*> calls;  // that have not ended
  bool closing = false;                    // new calls end with kAborted
};

}  // namespace igpt::internal
