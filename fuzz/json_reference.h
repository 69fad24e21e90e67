// JSON read slowly and plainly: what the decoder is compared with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace igpt_fuzz {

// What is right and wrong with a text.
struct JsonVerdict {
  bool utf8 = false;
  bool json = false;      // by RFC 8259, however deep; escaped lone surrogates and numbers of any size are JSON
  bool too_deep = false;  // up to where it stops being JSON, it nests deeper than kMaxJsonDepth
  bool ok() const { return utf8 && json && !too_deep; }
};
JsonVerdict JudgeJson(std::string_view text);

struct JsonValue {
  enum class Type { kNull, kBool, kNumber, kString, kArray, kObject };
  Type type = Type::kNull;
  std::string_view text;            // as written
  std::string string;               // unescaped, U+FFFD for escaped lone surrogates
  bool exact = true;                // a string without those
  std::vector<JsonValue> elements;  // of an array; the values of an object, in order, duplicates included
  std::vector<std::string> keys;    // of an object
};

// The value of a text that is JSON. Its views point into `text`.
JsonValue ParseJson(std::string_view text);

}  // namespace igpt_fuzz
