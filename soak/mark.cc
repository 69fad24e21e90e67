#include "soak/mark.h"

#include <array>

#include "absl/hash/hash.h"
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

// Only valid in this process, since no other has to read a mark.
std::string HashText(std::string_view text) {
  return absl::StrCat(absl::Hex(absl::HashOf(AbslView(text)), absl::kZeroPad16));
}

// `count` letters of the repeated alphabet, starting at `first`.
std::string Letters(size_t first, size_t count) {
  constexpr std::string_view kTwice = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
  constexpr size_t kAlphabet = kTwice.size() / 2;
  const std::string_view turn = kTwice.substr(first % kAlphabet, kAlphabet);
  std::string letters;
  letters.reserve(count);
  while (letters.size() < count) letters.append(turn.substr(0, count - letters.size()));
  return letters;
}

}  // namespace

std::string WriteMark(const Mark& mark, size_t padding) {
  // The letters differ from event to event, so that a piece of one can't pass for a piece of another.
  const std::string text = absl::StrCat(mark.call, ".", mark.user, ".", mark.attempt, ".", mark.seq, ".",
                                        Letters(mark.seq + mark.call, padding), ".");
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
