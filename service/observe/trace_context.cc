#include "service/observe/trace_context.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace igptd {
namespace {

constexpr size_t kTraceparentBytes = 55;  // of version 00: 00-<32 digits>-<16 digits>-<2 digits>
constexpr int kMaxMembers = 32;
constexpr size_t kMaxTracestateBytes = 512;

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsId(std::string_view text) {
  return IsHex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

// Removes spaces and tabs around it.
std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Whether it is part of a member's key: 1 to `max` bytes, starting with a letter or, if `digit_first`, a digit.
bool IsKeyPart(std::string_view text, size_t max, bool digit_first) {
  const auto in_key = [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '-' || c == '*' || c == '/';
  };
  if (text.empty() || text.size() > max || !std::all_of(text.begin(), text.end(), in_key)) return false;
  const auto first = static_cast<unsigned char>(text.front());
  return absl::ascii_islower(first) || (digit_first && absl::ascii_isdigit(first));
}

bool IsKey(std::string_view key) {
  const size_t at = key.find('@');
  if (at == std::string_view::npos) return IsKeyPart(key, 256, /*digit_first=*/false);
  return IsKeyPart(key.substr(0, at), 241, /*digit_first=*/true) &&
         IsKeyPart(key.substr(at + 1), 14, /*digit_first=*/false);
}

bool IsMember(std::string_view member) {
  const size_t equals = member.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view value = member.substr(equals + 1);
  const auto in_value = [](unsigned char c) { return absl::ascii_isprint(c) && c != '='; };  // nor a comma
  return IsKey(member.substr(0, equals)) && !value.empty() && value.size() <= 256 &&
         std::all_of(value.begin(), value.end(), in_value);
}

uint64_t NumberOf(std::string_view digits) {
  uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return number;
}

// 16 digits that are not all 0.
std::string NewId() {
  thread_local absl::BitGen random;
  return SpanIdDigits(absl::Uniform(absl::IntervalClosed, random, uint64_t{1}, std::numeric_limits<uint64_t>::max()));
}

}  // namespace

std::string SpanIdDigits(uint64_t id) {
  return absl::StrCat(absl::Hex(id, absl::kZeroPad16));
}

std::optional<TraceParent> ParseTraceparent(std::string_view header) {
  const std::string_view text = Trim(header);
  if (text.size() < kTraceparentBytes || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  if (!IsHex(version) || version == "ff") return std::nullopt;
  const bool more = text.size() > kTraceparentBytes;
  if (more && (version == "00" || text[kTraceparentBytes] != '-')) return std::nullopt;
  const std::string_view flags = text.substr(53, 2);
  const TraceParent parent = {.trace_id = text.substr(3, 32),
                              .parent_id = text.substr(36, 16),
                              .sampled = std::string_view("13579bdf").find(flags[1]) != std::string_view::npos};
  if (!IsId(parent.trace_id) || !IsId(parent.parent_id) || !IsHex(flags)) return std::nullopt;
  return parent;
}

std::string ParseTracestate(const std::vector<std::string_view>& headers) {
  std::string state;
  int members = 0;
  for (const std::string_view header : headers) {
    for (const absl::string_view part : absl::StrSplit(absl::string_view(header.data(), header.size()), ',')) {
      const std::string_view member = Trim({part.data(), part.size()});
      if (member.empty()) continue;
      if (!IsMember(member) || ++members > kMaxMembers) return "";
      if (!state.empty()) state.push_back(',');
      state.append(member);
    }
  }
  return state.size() <= kMaxTracestateBytes ? state : "";
}

TraceContext ContinueTrace(const std::vector<std::string_view>& traceparents,
                           const std::vector<std::string_view>& tracestates) {
  const std::optional<TraceParent> parent =
      traceparents.size() == 1 ? ParseTraceparent(traceparents.front()) : std::nullopt;
  if (!parent.has_value()) return {.traceparent = absl::StrCat("00-", NewId(), NewId(), "-", NewId(), "-00")};
  TraceContext trace;
  trace.traceparent.append("00-").append(parent->trace_id).append("-").append(NewId());
  trace.traceparent.append(parent->sampled ? "-01" : "-00");
  trace.tracestate = ParseTracestate(tracestates);
  trace.parent_id = NumberOf(parent->parent_id);
  return trace;
}

void Sample(const Sampling& sampling, TraceContext& trace) {
  if (sampling.as_parent && trace.parent_id != 0) {
    trace.recorded = trace.sampled();
    return;
  }
  // The last digits, since those of some trace ids that others make begin with a time.
  constexpr size_t kDigits = 8;
  const uint64_t random = NumberOf(trace.trace_id().substr(32 - kDigits));
  trace.recorded = static_cast<double>(random) < sampling.ratio * static_cast<double>(uint64_t{1} << 4 * kDigits);
  trace.traceparent.back() = trace.recorded ? '1' : '0';
}

}  // namespace igptd
