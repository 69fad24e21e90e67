#include "tests/soak/mark.h"

#include <array>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace igpt::soak {
namespace {

constexpr char kNamePrefix[] = "soak-";
constexpr size_t kHashDigits = 16;

absl::string_view AbslView(std::string_view text) {
  return {text.data(), text.size()};
}

// FNV-1a
uint64_t HashOf(std::string_view text) {
  uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

std::string HashText(std::string_view text) {
  return absl::StrCat(absl::Hex(HashOf(text), absl::kZeroPad16));
}

}  // namespace

std::string WriteMark(const Mark& mark, size_t padding) {
  std::string text = absl::StrCat(mark.call, ".", mark.user, ".", mark.attempt, ".", mark.seq, ".");
  // The letters differ from event to event: a piece of one cannot pass for a piece of another.
  for (size_t i = 0; i < padding; ++i) text.push_back(static_cast<char>('a' + (mark.seq + mark.call + i) % 26));
  text.push_back('.');
  return text + HashText(text);
}

std::optional<Mark> ReadMark(std::string_view text) {
  if (text.size() < kHashDigits) return std::nullopt;
  const std::string_view content = text.substr(0, text.size() - kHashDigits);
  if (text.substr(content.size()) != HashText(content)) return std::nullopt;
  const std::vector<absl::string_view> parts = absl::StrSplit(AbslView(content), '.');
  Mark mark;
  if (parts.size() != 6 || !absl::SimpleAtoi(parts[0], &mark.call) || !absl::SimpleAtoi(parts[1], &mark.user) ||
      !absl::SimpleAtoi(parts[2], &mark.attempt) || !absl::SimpleAtoi(parts[3], &mark.seq)) {
    return std::nullopt;
  }
  return mark;
}

std::string NameOf(uint32_t call) {
  return absl::StrCat(kNamePrefix, call);
}

std::optional<uint32_t> CallOf(std::string_view name) {
  absl::string_view rest = AbslView(name);
  uint32_t call = 0;
  if (!absl::ConsumePrefix(&rest, kNamePrefix) || !absl::SimpleAtoi(rest, &call)) return std::nullopt;
  return call;
}

}  // namespace igpt::soak
