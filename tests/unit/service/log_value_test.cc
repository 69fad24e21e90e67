#include "service/observe/log_value.h"

#include <gtest/gtest.h>

#include <string>

#include "nlohmann/json.hpp"

namespace igptd {
namespace {

std::string JsonString(std::string_view value) {
  std::string line;
  AppendJsonString(value, line);
  return line;
}

std::string TextValue(std::string_view value) {
  std::string line;
  AppendTextValue(value, line);
  return line;
}

// The value as a JSON parser reads it.
std::string Read(std::string_view value) {
  const nlohmann::json json = nlohmann::json::parse(JsonString(value), /*cb=*/nullptr, /*allow_exceptions=*/false);
  return json.is_string() ? json.get<std::string>() : "no JSON: " + JsonString(value);
}

TEST(LogValueTest, UnicodeIsReadAsItWasWritten) {
  std::string every_ascii;
  for (char c = 0; c >= 0 && c < 127; ++c) every_ascii.push_back(c);
  every_ascii.push_back(127);
  const std::string values[] = {"",          "call",   "\"quoted\"", "a\\b\\",   "a\nb\r\n\tc", every_ascii,
                                "für Élise", "日本語", "🙂",       "\xC2\x9B", "\xC2\xA0",    std::string("a\0b", 3)};
  for (const std::string& value : values) EXPECT_EQ(Read(value), value);
}

TEST(LogValueTest, WhatIsNotUnicodeIsReplaced) {
  const std::string r = "\xEF\xBF\xBD";  // U+FFFD
  EXPECT_EQ(Read("a\xFFz"), "a" + r + "z");
  EXPECT_EQ(Read("\xC3"), r);                          // cut
  EXPECT_EQ(Read("\xC2"), r);                          // the first byte of a control character
  EXPECT_EQ(Read("\xC0\x80"), r + r);                  // overlong
  EXPECT_EQ(Read("\xED\xA0\x80"), r + r + r);          // a surrogate
  EXPECT_EQ(Read("\xF4\x90\x80\x80"), r + r + r + r);  // beyond Unicode
  EXPECT_EQ(Read("\xC3\xA9\xFF\"\n"), r + r + r + "\"\n");
}

TEST(LogValueTest, NothingThatATerminalActsOnIsLeft) {
  EXPECT_EQ(JsonString("\x1B[31mred"), R"("\u001b[31mred")");
  EXPECT_EQ(JsonString("\xC2\x9B"
                       "31m"),
            R"("\u009b31m")");
  EXPECT_EQ(JsonString("\x7F"), R"("\u007f")");
  EXPECT_EQ(TextValue("\x1B[31mred"), R"("\u001b[31mred")");
  EXPECT_EQ(TextValue("\xFF"), R"("\ufffd")");
}

TEST(LogValueTest, TextHasQuotesOnlyWhereTheyTellValuesApart) {
  EXPECT_EQ(TextValue("igpt.v1.RecallService/Ask"), "igpt.v1.RecallService/Ask");
  EXPECT_EQ(TextValue("127.0.0.1:50051"), "127.0.0.1:50051");
  EXPECT_EQ(TextValue(""), R"("")");
  EXPECT_EQ(TextValue("two words"), R"("two words")");
  EXPECT_EQ(TextValue("a=b"), R"("a=b")");
  EXPECT_EQ(TextValue("a\"b"), R"("a\"b")");
  EXPECT_EQ(TextValue("a\\b"), R"("a\\b")");
  EXPECT_EQ(TextValue("a\nb=c"), R"("a\u000ab=c")");
}

}  // namespace
}  // namespace igptd
