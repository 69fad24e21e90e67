// A slow, plain JSON reader, to compare the decoder with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace igpt_fuzz {

// Whether a text is valid, and in which respects.
struct JsonVerdict {
  bool utf8 = false;
  bool json = false;      // by RFC 8259, at any depth; escaped lone surrogates and numbers of any size are JSON
  bool too_deep = false;  // nested deeper than kMaxJsonDepth before the point where it stops being JSON
  bool ok() const { return utf8 && json && !too_deep; }
};
JsonVerdict JudgeJson(std::string_view text);

struct JsonValue {
  enum class Type { kNull, kBool, kNumber, kString, kArray, kObject };
  Type type = Type::kNull;
  std::string_view text;            // as written
  std::string string;               // unescaped, U+FFFD for escaped lone surrogates
  bool exact = true;                // the string had no lone surrogates
  std::vector<JsonValue> elements;  // of an array; the values of an object, in order, duplicates included
  std::vector<std::string> keys;    // of an object
};

// The value of a text that is JSON. Its views point into `text`.
JsonValue ParseJson(std::string_view text);

}  // namespace igpt_fuzz
