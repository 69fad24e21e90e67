#include "service/sandbox/json.h"

namespace igptd::sandbox {
namespace {

// Copying and dumping recurse: deeper JSON than this is not accepted at all.
constexpr int kMaxDepth = 64;

}  // namespace

std::optional<Json> ParseObject(std::string_view text) {
  bool too_deep = false;
  const auto check_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kMaxDepth;
    return !too_deep;
  };
  Json json = Json::parse(text, check_depth, /*allow_exceptions=*/false);
  if (too_deep || !json.is_object()) return std::nullopt;
  return json;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace igptd::sandbox
