// What HTTP has to know about an endpoint of the API.
#pragma once

#include <string_view>

namespace igpt::internal {

enum class Effect {
  kReads,    // safe to send again
  kChanges,  // sent again only if the first request provably never arrived
};

struct Route {
  std::string_view path;  // "recall/ask/": what follows the base URL and a slash
  Effect effect;
  bool may_stream = false;          // it can answer with an event stream
  std::string_view not_found = {};  // what HTTP 404 says about the request; empty: nothing, base_url must be wrong

  // What reports call it: the path without the slash.
  constexpr std::string_view name() const { return path.substr(0, path.size() - 1); }

  bool operator==(const Route&) const = default;
};

}  // namespace igpt::internal
