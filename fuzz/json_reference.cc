#include "fuzz/json_reference.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "fuzz/require.h"
#include "igpt/options.h"

namespace igpt_fuzz {
namespace {

using nlohmann::json;

// The code unit of an escape \uXXXX at the start of the text.
std::optional<unsigned> EscapedUnit(std::string_view text) {
  if (text.size() < 6 || !text.starts_with("\\u")) return std::nullopt;
  const std::string digits(text.substr(2, 4));
  if (!std::all_of(digits.begin(), digits.end(), absl::ascii_isxdigit)) return std::nullopt;
  return std::stoul(digits, nullptr, 16);
}

// Replaces escaped lone surrogates, which nlohmann/json rejects, with \ufffd. Positions don't change.
std::string MendSurrogates(std::string_view text) {
  std::string mended(text);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') continue;
    const std::optional<unsigned> unit = EscapedUnit(text.substr(i));
    if (!unit) {
      ++i;  // the character after a backslash starts no escape
      continue;
    }
    const std::optional<unsigned> next = EscapedUnit(text.substr(i + 6));
    const bool high = *unit >= 0xD800 && *unit <= 0xDBFF;
    const bool low = *unit >= 0xDC00 && *unit <= 0xDFFF;
    const bool pair = high && next && *next >= 0xDC00 && *next <= 0xDFFF;
    if ((high || low) && !pair) mended.replace(i, 6, "\\ufffd");
    i += pair ? 11 : 5;
  }
  return mended;
}

// Shortens each part of each number to two digits, because nlohmann/json rejects numbers that no double can hold.
std::string ShortenNumbers(std::string_view text) {
  std::string shortened;
  bool in_string = false;
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      shortened += text[i++];
    } else if (text[i] == '"') {
      in_string = !in_string;
    }
    digits = !in_string && absl::ascii_isdigit(text[i]) ? digits + 1 : 0;
    if (digits <= 2) shortened += text[i];
  }
  return shortened;
}

// Measures only the depth.
class DepthMeter : public nlohmann::json_sax<json> {
 public:
  bool too_deep() const { return too_deep_; }

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(int64_t /*value*/) override { return true; }
  bool number_unsigned(uint64_t /*value*/) override { return true; }
  bool number_float(double /*value*/, const std::string& /*text*/) override { return true; }
  bool string(std::string& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool key(std::string& /*value*/) override { return true; }
  bool start_object(size_t /*elements*/) override { return Enter(); }
  bool start_array(size_t /*elements*/) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }
  bool parse_error(size_t /*at*/, const std::string& /*token*/, const json::exception& /*error*/) override {
    return false;
  }

 private:
  bool Enter() {
    if (++depth_ > igpt::kMaxJsonDepth) too_deep_ = true;
    return true;
  }
  bool Leave() {
    --depth_;
    return true;
  }

  int depth_ = 0;
  bool too_deep_ = false;
};

// Parses text that is known to be JSON.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  JsonValue Value() {
    SkipSpace();
    const size_t begin = at_;
    JsonValue value;
    switch (text_[at_]) {
      case '{':
        value.type = JsonValue::Type::kObject;
        while (Next('}')) {
          JsonValue name = Value();
          Next('\0');  // the colon
          value.keys.push_back(name.string);
          value.elements.push_back(Value());
        }
        break;
      case '[':
        value.type = JsonValue::Type::kArray;
        while (Next(']')) value.elements.push_back(Value());
        break;
      case '"':
        value.type = JsonValue::Type::kString;
        String(value);
        break;
      case 'n':
        at_ += 4;
        break;
      case 't':
      case 'f':
        value.type = JsonValue::Type::kBool;
        at_ += text_[at_] == 't' ? 4 : 5;
        break;
      default:
        value.type = JsonValue::Type::kNumber;
        while (at_ < text_.size() && std::string_view("+-.0123456789Ee").find(text_[at_]) != text_.npos) ++at_;
    }
    value.text = text_.substr(begin, at_ - begin);
    return value;
  }

 private:
  void SkipSpace() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  // Skips the next bracket, comma or colon. Returns false at the end of the array or object.
  bool Next(char end) {
    SkipSpace();
    const bool opening = text_[at_] == '{' || text_[at_] == '[';
    if (text_[at_++] == end) return false;
    if (!opening) return true;
    SkipSpace();
    if (text_[at_] != end) return true;
    ++at_;
    return false;
  }

  void String(JsonValue& value) {
    const size_t begin = at_++;
    while (text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    const std::string_view quoted = text_.substr(begin, ++at_ - begin);
    const std::string mended = MendSurrogates(quoted);
    value.exact = mended == quoted;
    value.string = json::parse(mended).get<std::string>();
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

JsonVerdict JudgeJson(std::string_view text) {
  JsonVerdict verdict;
  verdict.utf8 = IsUtf8(text);
  DepthMeter depth;
  const std::string mended = ShortenNumbers(MendSurrogates(text));
  verdict.json = json::sax_parse(mended, &depth);
  verdict.too_deep = depth.too_deep();
  // nlohmann/json treats NUL as the end of the text, and skips a byte order mark.
  if (text.find('\0') != text.npos || text.starts_with("\xEF\xBB\xBF")) verdict.json = false;
  return verdict;
}

JsonValue ParseJson(std::string_view text) {
  return Parser(text).Value();
}

}  // namespace igpt_fuzz
