#include "terminal/columns.h"

#include <clocale>
#include <cwchar>

#include "terminal/utf8.h"

namespace {

// C's wcwidth goes by the locale, which in a C program knows only ASCII. This makes it know Unicode for a moment, on
// this thread, whatever the user's locale is.
class UnicodeLocale {
 public:
  UnicodeLocale() : before_(uselocale(Unicode())) {}
  ~UnicodeLocale() { uselocale(before_); }
  UnicodeLocale(const UnicodeLocale&) = delete;
  UnicodeLocale& operator=(const UnicodeLocale&) = delete;

 private:
  static locale_t Unicode() {
    static const locale_t kUnicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return kUnicode;
  }
  const locale_t before_;
};

int ColumnsOf(const Character& character) {
  const int columns = character.code.has_value() ? wcwidth(static_cast<wchar_t>(*character.code)) : 1;
  return columns < 0 ? 1 : columns;  // -1: unknown
}

// The longest beginning of the text that fits.
std::string_view Fitting(std::string_view text, int columns) {
  const UnicodeLocale locale;
  size_t size = 0;
  while (size < text.size()) {
    const Character character = FirstCharacter(text.substr(size));
    columns -= ColumnsOf(character);
    if (columns < 0) break;
    size += character.bytes;
  }
  return text.substr(0, size);
}

}  // namespace

int Columns(std::string_view text) {
  const UnicodeLocale locale;
  int columns = 0;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    columns += ColumnsOf(character);
    text.remove_prefix(character.bytes);
  }
  return columns;
}

std::string Shortened(std::string_view text, int columns) {
  if (Columns(text) <= columns) return std::string(text);
  return std::string(Fitting(text, columns - 1)) + "…";
}
