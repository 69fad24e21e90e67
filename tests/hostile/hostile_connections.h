// What an attacker without a token does on one connection: a table of attacks.
#pragma once

#include <atomic>
#include <functional>
#include <ostream>
#include <string_view>
#include <vector>

#include "tests/support/http2_client.h"

namespace igpt::testing {

struct HostileConnection {
  std::string_view name;
  // Attacks until the connection is ended or `over` is true.
  std::function<void(Http2Client&, const std::atomic<bool>& over)> attack;
  Http2Client::Behaviour behaviour = {};

  friend void PrintTo(const HostileConnection& connection, std::ostream* out) { *out << connection.name; }
};

// Each kind of attack that can be made by who can only connect.
std::vector<HostileConnection> HostileConnections();

}  // namespace igpt::testing
