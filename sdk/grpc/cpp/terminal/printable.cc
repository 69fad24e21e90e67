#include "terminal/printable.h"

#include "absl/strings/ascii.h"
#include "terminal/utf8.h"

namespace {

constexpr std::string_view kReplacement = "\uFFFD";

// C0, DEL and C1; U+009B alone begins an escape sequence.
bool IsControl(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    const std::string_view bytes = text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
    if (bytes == "\r") continue;
    const bool safe = character.code.has_value() && (!IsControl(*character.code) || bytes == "\n" || bytes == "\t");
    printable += safe ? bytes : kReplacement;
  }
  return printable;
}

std::string OneLine(std::string_view text) {
  std::string line = Printable(text);
  absl::RemoveExtraAsciiWhitespace(&line);
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return line;
}
