#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "igpt/internal/json/reader.h"
#include "igpt/options.h"

namespace igpt::internal {
namespace {

using ::testing::ElementsAre;

JsonError Check(std::string_view text) {
  return JsonReader(std::string(text)).Finish();
}

// Reads every value, as a caller does that has a field for each.
void ReadAll(JsonReader& reader) {
  std::string text;
  switch (reader.type()) {
    case JsonType::kString:
      reader.ReadString(&text);
      return;
    case JsonType::kNumber:
      reader.ReadNumber();
      return;
    case JsonType::kArray:
      return reader.ReadArray([&] { ReadAll(reader); });
    case JsonType::kObject:
      return reader.ReadObject([&](std::string_view) { ReadAll(reader); });
    case JsonType::kNull:
    case JsonType::kBool:
      return;
  }
}

JsonError CheckByReading(std::string_view text) {
  JsonReader reader{std::string(text)};
  ReadAll(reader);
  return reader.Finish();
}

std::string Nested(int depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

std::string NestedObjects(int depth) {
  std::string text = "0";
  for (int i = 0; i < depth; ++i) text = R"({"a":)" + text + "}";
  return text;
}

const std::vector<std::string>& ValidTexts() {
  static const auto& texts = *new std::vector<std::string>{
      // Scalars.
      "null", "true", "false", "0", "-0", "-1.5e-7", "123456789012345678901234567890", " 1 ", " \"a\" ", R"("")",
      "\"\x7F\"",
      // Arrays and objects.
      "[]", "{}", "[[]]", "[{}]", R"({"":{}})", " \t\r\n[ \t\r\n] \t\r\n", "[1,2,3]", "[null,true,false]",
      "[1 , 2\n,\t3 ]", R"({"a":1,"b":[2,{"c":"d"}],"e":null})", R"({"a":1,"a":2})", R"({ "a" : { } , "b" : [ ] })",
      Nested(10), NestedObjects(10),
      // Strings and numbers in them.
      R"([""," ","\"","\\","\\\""])", R"(["\b\f\n\r\t\/","\u0000","\u00e9","\ud83d\ude00"])", R"({"\u0061\n":1})",
      "[\"\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80\"]", R"(["{","}","[","]",",",":"])", "[0.1,1E+2,1e-2,-0.0]"};
  return texts;
}

const std::vector<std::string>& InvalidTexts() {
  static const auto& texts = *new std::vector<std::string>{
      // Nothing, or not only one value.
      "", " ", "\n\t", "1 2", "1,2", "{}{}", "{} {}", "[] []", "[]]", "{}}", "null null", R"("a""b")", R"("a" "b")",
      "[]x", "{}\"a\"", ",", ":", "]", "}", "[1],", "1]",
      // Arrays.
      "[", "[1", "[1,", "[1,]", "[,]", "[,1]", "[1,,2]", "[1 2]", "[1:2]", "[1}", "[[1]", "[[1}]", "[\"a\":1]",
      R"([["b":1],2]])", "[1;2]", "[[", "[{]", "[{}", R"([{"a"])",
      // Objects.
      "{", R"({"a")", R"({"a":)", R"({"a":1)", R"({"a":1,)", R"({"a":1,})", R"({"a"})", R"({"a":})", R"({"a" 1})",
      R"({"a":1 "b":2})", R"({a:1})", "{1:2}", "{null:1}", "{'a':1}", R"({"a":1:2})", R"({"a":"b":1})",
      R"({"a":"b":"c","d":1})", R"({,"a":1})", R"({"a":1])", R"({"a":{"b":1})", R"({"a"x:1})", R"({"a"::1})",
      R"({[]:1})", R"({"a":1,,"b":2})",
      // Literals and numbers.
      "nul", "nulll", "NULL", "None", "True", "truefalse", "tru", "fals", "t", "nan", "NaN", "Infinity", "undefined",
      "01", "-", "+1", ".5", "1.", "1e", "0x1", "1a", "[01]", "[1.]", "[--1]", "[truex]", R"({"a":nul})", "[1\v]",
      "[1\f]", "\v1", "/* c */ 1", "[1] // c",
      // Strings.
      "\"", "\"a", R"("a\")", R"("\)", R"("\x")", R"("\u12")", R"("\u12g4")", R"(["\'"])", "'a'", R"({"\x":1})",
      R"({"\u00":1})", R"("a"b)", R"(["a"b])", R"([1"a"])", "[\"\x01\"]", "\"\n\"", "\"\t\"", std::string("\"\0\"", 3),
      "{\"\x1F\":1}", std::string("[1\0]", 4), std::string("\0", 1)};
  return texts;
}

TEST(JsonReader, AcceptsWhatIsJson) {
  for (const std::string& text : ValidTexts()) {
    EXPECT_TRUE(nlohmann::json::accept(text)) << text;
    EXPECT_EQ(Check(text), JsonError::kNone) << text;
    EXPECT_EQ(CheckByReading(text), JsonError::kNone) << text;
  }
}

TEST(JsonReader, RefusesWhatIsNot) {
  for (const std::string& text : InvalidTexts()) {
    EXPECT_FALSE(nlohmann::json::accept(text)) << text;
    EXPECT_EQ(Check(text), JsonError::kNotJson) << text;
    EXPECT_EQ(CheckByReading(text), JsonError::kNotJson) << text;
  }
}

// Where nlohmann/json sees it otherwise: it drops a byte order mark, and stops at a NUL.
TEST(JsonReader, IsStricterThanAnotherParser) {
  for (const std::string& text : {std::string("\xEF\xBB\xBF{}"), std::string("[1]\0", 4), std::string("[1]\0x", 5)}) {
    EXPECT_TRUE(nlohmann::json::accept(text)) << testing::PrintToString(text);
    EXPECT_EQ(Check(text), JsonError::kNotJson) << testing::PrintToString(text);
  }
}

// It has no place for them; the reader hands on their text.
TEST(JsonReader, AcceptsWhatAnotherParserCannotHold) {
  for (const std::string_view text : {"1e400", "[-1e400]", R"("\ud83d")", R"(["\ude00\ud83d"])", R"({"\ud83d":1})"}) {
    EXPECT_FALSE(nlohmann::json::accept(text)) << text;
    EXPECT_EQ(Check(text), JsonError::kNone) << text;
    EXPECT_EQ(CheckByReading(text), JsonError::kNone) << text;
  }
}

TEST(JsonReader, RefusesBadUtf8) {
  for (const std::string_view bytes : {
           "\xFF",              // never used
           "\x80",              // a continuation of nothing
           "\xC3",              // cut
           "\xE2\x82",          //
           "\xF0\x9F\x98",      //
           "\xC0\xAF",          // overlong
           "\xC1\xBF",          //
           "\xE0\x80\xAF",      //
           "\xF0\x80\x80\xAF",  //
           "\xED\xA0\x80",      // surrogates
           "\xED\xBF\xBF",      //
           "\xF4\x90\x80\x80",  // past U+10FFFF
           "\xF8\x88\x80\x80\x80",
       }) {
    const std::string bad(bytes);
    for (const std::string& text : {'"' + bad + '"', "[\"a" + bad + "\"]", "{\"" + bad + "\":1}", "{\"a\":1}" + bad,
                                    bad + "[]", '[' + bad + ']', bad, "[1" + bad}) {
      EXPECT_EQ(Check(text), JsonError::kNotUtf8) << testing::PrintToString(text);
      EXPECT_EQ(CheckByReading(text), JsonError::kNotUtf8) << testing::PrintToString(text);
    }
  }
}

TEST(JsonReader, BoundsDepth) {
  for (const int depth : {kMaxJsonDepth - 1, kMaxJsonDepth}) {
    EXPECT_EQ(Check(Nested(depth)), JsonError::kNone);
    EXPECT_EQ(Check(NestedObjects(depth)), JsonError::kNone);
    EXPECT_EQ(CheckByReading(NestedObjects(depth)), JsonError::kNone);
  }
  for (const int depth : {kMaxJsonDepth + 1, 1023, 1024, 1025, 1'000'000}) {
    EXPECT_EQ(Check(Nested(depth)), JsonError::kTooDeep);
    EXPECT_EQ(CheckByReading(Nested(depth)), JsonError::kTooDeep);
  }
  EXPECT_EQ(Check(NestedObjects(kMaxJsonDepth + 1)), JsonError::kTooDeep);
  EXPECT_EQ(Check("[" + Nested(kMaxJsonDepth - 1) + "," + Nested(kMaxJsonDepth - 1) + "]"), JsonError::kNone);
  EXPECT_EQ(Check(std::string(1'000'000, '[')), JsonError::kNotJson);
}

TEST(JsonReader, RefusesEveryPrefix) {
  const std::string text =
      "{\"a\": [1.5e3, null, true, \"x\\n\\u00e9\\ud83d\\ude00\xC3\xBC\"], \"b\\t\": {\"c\": {}, \"d\": []}}";
  ASSERT_EQ(Check(text), JsonError::kNone);
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_NE(Check(text.substr(0, size)), JsonError::kNone) << size;
    EXPECT_NE(CheckByReading(text.substr(0, size)), JsonError::kNone) << size;
  }
}

// What is valid does not depend on the instructions of the machine. Each in a thread of its own: threads keep parsers.
TEST(JsonReader, AgreesWithItselfOnEveryMachine) {
  const simdjson::implementation* best = simdjson::get_active_implementation();
  for (const simdjson::implementation* implementation : simdjson::get_available_implementations()) {
    if (!implementation->supported_by_runtime_system()) continue;
    simdjson::get_active_implementation() = implementation;
    std::thread([] {
      for (const std::string& text : ValidTexts()) EXPECT_EQ(Check(text), JsonError::kNone) << text;
      for (const std::string& text : InvalidTexts()) EXPECT_EQ(Check(text), JsonError::kNotJson) << text;
      EXPECT_EQ(Check("{\"a\":1}\xFF"), JsonError::kNotUtf8);
      EXPECT_EQ(Check(Nested(kMaxJsonDepth + 1)), JsonError::kTooDeep);
    }).join();
  }
  simdjson::get_active_implementation() = best;
}

// Small damage to valid texts, judged as nlohmann/json does.
TEST(JsonReader, AgreesWithAnotherParser) {
  constexpr std::string_view kBytes = "{}[],:\"\\ \n0123456789-+.eEtrufalsn\x01\x80\xC3/xb";
  const std::regex kDifference(R"(\\ud|[eE][+-]?\d{3})");  // surrogates, numbers that are out of a double's range
  std::mt19937 random(20260115);
  const auto below = [&random](size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random); };
  int valid = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = ValidTexts()[below(ValidTexts().size())];
    for (size_t changes = 1 + below(3); changes > 0; --changes) {
      const size_t at = below(text.size() + 1);
      const size_t kind = below(3);
      if (kind == 0) text.insert(at, 1, kBytes[below(kBytes.size())]);
      if (kind == 1 && at < text.size()) text.erase(at, 1);
      if (kind == 2 && at < text.size()) text[at] = kBytes[below(kBytes.size())];
    }
    if (std::regex_search(text, kDifference)) continue;
    const bool accepted = nlohmann::json::accept(text);
    valid += accepted ? 1 : 0;
    EXPECT_EQ(Check(text) == JsonError::kNone, accepted) << testing::PrintToString(text);
    EXPECT_EQ(CheckByReading(text) == JsonError::kNone, accepted) << testing::PrintToString(text);
  }
  EXPECT_GT(valid, 1000);
}

TEST(JsonReader, GivesValuesAndTheirText) {
  JsonReader reader(
      R"( { "s" : "a\n" , "n" : -1.50 , "t":true, "o" : { "x" : [ 1 ] } , "l":[ [ ] , {} ], "z":null } )");
  std::vector<std::string> seen;
  ASSERT_EQ(reader.type(), JsonType::kObject);
  reader.ReadObject([&](std::string_view key) {
    std::string value(key);
    std::string text;
    if (reader.type() == JsonType::kString) {
      EXPECT_TRUE(reader.ReadString(&text));
    } else if (reader.type() == JsonType::kNumber) {
      text = reader.ReadNumber();
    } else {
      reader.Skip();
    }
    seen.push_back(value + " " + text + " " + std::string(reader.last_text()));
  });
  EXPECT_EQ(reader.Finish(), JsonError::kNone);
  EXPECT_THAT(seen, ElementsAre("s a\n \"a\\n\"", "n -1.50 -1.50", "t  true", R"(o  { "x" : [ 1 ] })",
                                "l  [ [ ] , {} ]", "z  null"));
  EXPECT_EQ(reader.last_text().substr(0, 3), R"({ ")");
  EXPECT_EQ(reader.last_text().back(), '}');
  EXPECT_THAT(std::move(reader).TakeText(), testing::StartsWith(R"( { "s" : "a\n" )"));
}

TEST(JsonReader, GivesRootsOfEveryType) {
  struct Case {
    std::string_view text;
    JsonType type;
    std::string_view last_text;
  };
  const Case cases[] = {
      {" null ", JsonType::kNull, "null"},    {"true", JsonType::kBool, "true"},
      {" -1e5\n", JsonType::kNumber, "-1e5"}, {" \"a b\" ", JsonType::kString, "\"a b\""},
      {" [ ] ", JsonType::kArray, "[ ]"},     {"\t{ }", JsonType::kObject, "{ }"},
  };
  for (const Case& c : cases) {
    JsonReader reader{std::string(c.text)};
    EXPECT_EQ(reader.type(), c.type) << c.text;
    EXPECT_EQ(reader.Finish(), JsonError::kNone) << c.text;
    EXPECT_EQ(reader.last_text(), c.last_text) << c.text;
  }
  JsonReader reader(R"( "a\tb" )");
  std::string text;
  EXPECT_TRUE(reader.ReadString(&text));
  EXPECT_EQ(text, "a\tb");
  EXPECT_EQ(reader.Finish(), JsonError::kNone);
}

TEST(JsonReader, SaysWhenAStringHasNoUtf8) {
  JsonReader reader(R"(["\ud83d!","\ud83d\ude00"])");
  std::vector<std::pair<std::string, bool>> strings;
  reader.ReadArray([&] {
    std::string text;
    const bool exact = reader.ReadString(&text);
    strings.emplace_back(text, exact);
  });
  EXPECT_EQ(reader.Finish(), JsonError::kNone);
  EXPECT_THAT(strings, ElementsAre(std::pair("\xEF\xBF\xBD!", false), std::pair("\xF0\x9F\x98\x80", true)));
}

TEST(JsonReader, UnescapesKeys) {
  JsonReader reader(R"({"\u0061\"\n":1,"plain":2})");
  std::vector<std::string> keys;
  reader.ReadObject([&](std::string_view key) { keys.emplace_back(key); });
  EXPECT_EQ(reader.Finish(), JsonError::kNone);
  EXPECT_THAT(keys, ElementsAre("a\"\n", "plain"));
}

TEST(JsonReader, CallsNothingBackAfterAnError) {
  JsonReader reader(R"([1,[2,[3,x]],4,[5]])");
  std::vector<std::string> numbers;
  reader.ReadArray([&] {
    if (reader.type() == JsonType::kNumber) numbers.emplace_back(reader.ReadNumber());
  });
  EXPECT_EQ(reader.Finish(), JsonError::kNotJson);
  EXPECT_THAT(numbers, ElementsAre("1"));
  EXPECT_EQ(reader.type(), JsonType::kNull);
  reader.Skip();
  EXPECT_EQ(reader.Finish(), JsonError::kNotJson);
}

TEST(JsonReader, StopsOnDemand) {
  JsonReader reader("[1, 2, 3]");
  int elements = 0;
  reader.ReadArray([&] {
    if (++elements == 2) reader.Stop(JsonError::kTooLong);
  });
  EXPECT_EQ(elements, 2);
  EXPECT_EQ(reader.Finish(), JsonError::kTooLong);
  EXPECT_EQ(reader.error_offset(), 4);
}

TEST(JsonReader, SaysWhereTheErrorIs) {
  struct Case {
    std::string text;
    size_t offset;
  };
  const Case cases[] = {
      {R"({"a":1,"b":x})", 11},
      {R"({"a":01})", 5},
      {R"({"a":"\x"})", 6},
      {R"({"\x":1})", 2},
      {"[1 2]", 3},
      {R"({"a" 1})", 5},
      {R"({"a":1,})", 7},
      {"[1,]", 3},
      {"{} []", 4},
      {"[] [1]", 2},
      {"[1", 1},
      {"nul", 0},
      {Nested(65), 64},
      {"[[1]", 4},
      {"1 2", 1},
      {"\"a", std::string::npos},
      {"", std::string::npos},
  };
  for (const Case& c : cases) {
    JsonReader reader(c.text);
    EXPECT_NE(reader.Finish(), JsonError::kNone) << c.text;
    EXPECT_EQ(reader.error_offset(), c.offset) << c.text;
  }
}

// A thread keeps a parser; readers that live at the same time must not share it, and a large text must not spoil it.
TEST(JsonReader, ReadersAreIndependent) {
  JsonReader outer(R"(["a",["b"]])");
  std::vector<std::string> strings;
  outer.ReadArray([&] {
    EXPECT_EQ(Check(R"({"other":[1,2,3]})"), JsonError::kNone);
    EXPECT_EQ(Check("[broken"), JsonError::kNotJson);
    outer.Skip();
    strings.emplace_back(outer.last_text());
  });
  EXPECT_EQ(outer.Finish(), JsonError::kNone);
  EXPECT_THAT(strings, ElementsAre(R"("a")", R"(["b"])"));

  const std::string large = '[' + std::string(3 << 20, ' ') + ']';
  EXPECT_EQ(Check(large), JsonError::kNone);
  EXPECT_EQ(Check("[]"), JsonError::kNone);
}

TEST(JsonReader, ReadsAMillionKeys) {
  std::string text = "{";
  for (int i = 0; i < 1'000'000; ++i) text += '"' + std::to_string(i) + "\":0,";
  text.back() = '}';
  JsonReader reader(text);
  int keys = 0;
  reader.ReadObject([&keys](std::string_view) { ++keys; });
  EXPECT_EQ(reader.Finish(), JsonError::kNone);
  EXPECT_EQ(keys, 1'000'000);
}

}  // namespace
}  // namespace igpt::internal
