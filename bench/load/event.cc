#include "bench/load/event.h"

#include <charconv>
#include <cstddef>
#include <optional>

namespace igpt::bench {
namespace {

// A number of nanoseconds has at least this many digits; with fewer, it is text that happens to start with a number.
constexpr size_t kLeastDigits = 9;

int64_t LeadingTime(std::string_view text) {
  int64_t time = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time);
  return error == std::errc() && end >= text.data() + kLeastDigits ? time : 0;
}

// The fields of a protobuf message, one after the other.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : rest_(message) {}

  // The contents of the next field with this number that is a string or a message.
  std::optional<std::string_view> FindBytes(uint64_t number) {
    while (!rest_.empty()) {
      const uint64_t tag = ReadVarint();
      std::string_view bytes;
      switch (tag & 7) {
        case 0:
          ReadVarint();
          continue;
        case 1:
          Take(8);
          continue;
        case 2:
          bytes = Take(ReadVarint());
          break;
        case 5:
          Take(4);
          continue;
        default:
          return std::nullopt;
      }
      if (tag >> 3 == number) return bytes;
    }
    return std::nullopt;
  }

 private:
  uint64_t ReadVarint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(Take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value;
  }

  std::string_view Take(uint64_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
};

// The part of `json` after `prefix`.
std::optional<std::string_view> After(std::string_view json, std::string_view prefix) {
  const size_t at = json.find(prefix);
  if (at == json.npos) return std::nullopt;
  return json.substr(at + prefix.size());
}

}  // namespace

Event ReadAskResponse(std::string_view message) {
  constexpr int kEvent = 1;    // AskResponse.event
  constexpr int kStarted = 4;  // RunEvent.started
  constexpr int kDelta = 5;    // RunEvent.delta
  constexpr int kStartedId = 1;
  const auto event = FieldReader(message).FindBytes(kEvent);
  if (!event) return {};
  if (const auto delta = FieldReader(*event).FindBytes(kDelta)) return {Event::Kind::kDelta, LeadingTime(*delta)};
  if (const auto started = FieldReader(*event).FindBytes(kStarted)) {
    return {Event::Kind::kStart, LeadingTime(FieldReader(*started).FindBytes(kStartedId).value_or(""))};
  }
  return {};
}

Event ReadSseData(std::string_view json) {
  if (const auto delta = After(json, R"("delta":")")) return {Event::Kind::kDelta, LeadingTime(*delta)};
  if (json.find(R"("type":"run.start")") != json.npos) {
    return {Event::Kind::kStart, LeadingTime(After(json, R"("id":")").value_or(""))};
  }
  return {};
}

}  // namespace igpt::bench
