#include "terminal/utf8.h"

namespace {

// How many bytes a character has by its first one; 0: no character begins with this.
size_t Length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  if (first >= 0xF0 && first < 0xF5) return 4;
  return 0;
}

}  // namespace

Character FirstCharacter(std::string_view text) {
  constexpr char32_t kLowest[] = {0, 0, 0x80, 0x800, 0x10000};  // by length: anything lower is written too long
  const auto first = static_cast<unsigned char>(text.front());
  const size_t length = Length(first);
  if (length == 0 || length > text.size()) return {};
  if (length == 1) return {.code = first, .bytes = 1};
  char32_t code = first & (0x7F >> length);
  for (const char c : text.substr(1, length - 1)) {
    if ((c & 0xC0) != 0x80) return {};
    code = code << 6 | (c & 0x3F);
  }
  if (code < kLowest[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {};
  return {.code = code, .bytes = length};
}
