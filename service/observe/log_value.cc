#include "service/observe/log_value.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "service/contract/utf8.h"

namespace igptd {
namespace {

// U+0080 to U+009F (the bytes C2 80 to C2 9F) are control characters too.
bool IsHighControl(std::string_view text, size_t i) {
  return text[i] == '\xC2' && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
}

// Whether a JSON string can hold it unescaped.
bool IsPlain(unsigned char c) {
  return absl::ascii_isprint(c) && c != '"' && c != '\\';
}

void AppendEscaped(std::string_view value, std::string& line) {
  const bool utf8 = IsUtf8(value);
  for (size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (absl::ascii_iscntrl(c)) {
      absl::StrAppendFormat(&line, "\\u%04x", c);
    } else if (!utf8 && !absl::ascii_isascii(c)) {
      line.append("\\ufffd");
    } else if (IsHighControl(value, i)) {
      absl::StrAppendFormat(&line, "\\u%04x", static_cast<unsigned char>(value[++i]));
    } else {
      if (c == '"' || c == '\\') line.push_back('\\');
      line.push_back(value[i]);
    }
  }
}

}  // namespace

void AppendJsonString(std::string_view value, std::string& line) {
  line.push_back('"');
  if (std::all_of(value.begin(), value.end(), IsPlain)) {
    line.append(value);
  } else {
    AppendEscaped(value, line);
  }
  line.push_back('"');
}

void AppendTextValue(std::string_view value, std::string& line) {
  const auto in_word = [](unsigned char c) { return IsPlain(c) && c != ' ' && c != '='; };
  if (!value.empty() && std::all_of(value.begin(), value.end(), in_word)) {
    line.append(value);
  } else {
    AppendJsonString(value, line);
  }
}

}  // namespace igptd
