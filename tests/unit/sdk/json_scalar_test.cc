#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

#include "igpt/internal/json/scalar.h"

namespace igpt::internal {
namespace {

using ::testing::Optional;

TEST(IsJsonNumber, FollowsTheGrammar) {
  for (const std::string_view text :
       {"0", "-0", "1", "-1", "10", "1234567890", "0.0", "0.10", "-0.5", "1e5", "1E5", "1e+5", "1e-05", "1.5e300",
        "1e400", "-1.25E-7", "18446744073709551616", "123456789012345678901234567890"}) {
    EXPECT_TRUE(IsJsonNumber(text)) << text;
  }
  for (const std::string_view text :
       {"",    "-",   "+1",       "00",        "01",    "-01",   ".5",    "1.",      "1.e5",
        "-.5", "1e",  "1e+",      "1e5.5",     "1.2.3", "0x10",  "1_000", "1 ",      " 1",
        "1a",  "--1", "Infinity", "-Infinity", "NaN",   "1e5e5", "1,2",   "\xD9\xA1"}) {
    EXPECT_FALSE(IsJsonNumber(text)) << text;
  }
}

TEST(ToInt64, TakesWholeNumbersInRange) {
  EXPECT_THAT(ToInt64("0"), Optional(0));
  EXPECT_THAT(ToInt64("-0"), Optional(0));
  EXPECT_THAT(ToInt64("-17"), Optional(-17));
  EXPECT_THAT(ToInt64("9007199254740993"), Optional(9007199254740993));
  EXPECT_THAT(ToInt64("9223372036854775807"), Optional(std::numeric_limits<int64_t>::max()));
  EXPECT_THAT(ToInt64("-9223372036854775808"), Optional(std::numeric_limits<int64_t>::min()));
  for (const std::string_view text : {"9223372036854775808", "-9223372036854775809", "18446744073709551616", "1.0",
                                      "1e3", "0.5", "123456789012345678901234567890"}) {
    EXPECT_EQ(ToInt64(text), std::nullopt) << text;
  }
}

TEST(ToDouble, TakesWhatIsFinite) {
  EXPECT_THAT(ToDouble("0"), Optional(0.0));
  EXPECT_THAT(ToDouble("-1.5e3"), Optional(-1500.0));
  EXPECT_THAT(ToDouble("33.3"), Optional(33.3));
  EXPECT_THAT(ToDouble("18446744073709551616"), Optional(18446744073709551616.0));
  EXPECT_THAT(ToDouble("1.7976931348623157e308"), Optional(std::numeric_limits<double>::max()));
  EXPECT_EQ(ToDouble("1e400"), std::nullopt);
  EXPECT_EQ(ToDouble("-1e400"), std::nullopt);
  EXPECT_EQ(ToDouble("1e-400"), std::nullopt);
}

TEST(ToDuration, IsExactToTheNanosecond) {
  struct Case {
    std::string_view number;
    absl::Duration unit;
    absl::Duration value;
    bool exact;
  };
  const absl::Duration s = absl::Seconds(1);
  const absl::Duration ms = absl::Milliseconds(1);
  const Case cases[] = {
      {"0", s, absl::ZeroDuration(), true},
      {"-0", s, absl::ZeroDuration(), true},
      {"1700000000", s, absl::Seconds(1700000000), true},
      {"1700000000123", ms, absl::Seconds(1700000000) + absl::Milliseconds(123), true},
      {"-5", ms, absl::Milliseconds(-5), true},
      {"1.5", s, absl::Milliseconds(1500), true},
      {"-1.5", s, absl::Milliseconds(-1500), true},
      {"-0.25", ms, absl::Microseconds(-250), true},
      {"1.123456789", s, absl::Nanoseconds(1123456789), true},
      {"1.12345678900", s, absl::Nanoseconds(1123456789), true},
      {"1.1234567891", s, absl::Nanoseconds(1123456789), false},
      {"812.345678", ms, absl::Nanoseconds(812345678), true},
      {"812.3456789", ms, absl::Nanoseconds(812345678), false},
      {"1.7e9", s, absl::Seconds(1700000000), false},
      {"1E3", ms, absl::Seconds(1), false},
      {"9223372036854775807", s, absl::Seconds(9223372036854775807), true},
  };
  for (const Case& c : cases) {
    const std::optional<DecimalDuration> duration = ToDuration(c.number, c.unit);
    ASSERT_TRUE(duration) << c.number;
    EXPECT_EQ(duration->value, c.value) << c.number;
    EXPECT_EQ(duration->exact, c.exact) << c.number;
  }
  for (const std::string_view number : {"9223372036854775808", "-18446744073709551616", "1e30", "-1e30", "1e400"}) {
    EXPECT_FALSE(ToDuration(number, s)) << number;
  }
}

struct UnescapeCase {
  std::string_view content;
  Unescaped result;
  std::string_view out;
};

TEST(UnescapeJson, KnowsEveryEscape) {
  const UnescapeCase cases[] = {
      {"", Unescaped::kExact, ""},
      {"plain \xC3\xBC", Unescaped::kExact, "plain \xC3\xBC"},
      {R"(\"\\\/\b\f\n\r\t)", Unescaped::kExact, "\"\\/\b\f\n\r\t"},
      {R"(a\nb\n)", Unescaped::kExact, "a\nb\n"},
      {R"(\\n)", Unescaped::kExact, "\\n"},
      {R"(\u0041\u00e9\u00E9\u20ac)", Unescaped::kExact, "A\xC3\xA9\xC3\xA9\xE2\x82\xAC"},
      {R"(\u0000)", Unescaped::kExact, std::string_view("\0", 1)},
      {R"(\u007f\u0080\u07ff\u0800\uffff)", Unescaped::kExact, "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"},
      {R"(\ud7ff\ue000)", Unescaped::kExact, "\xED\x9F\xBF\xEE\x80\x80"},
      {R"(\ud83d\ude00!)", Unescaped::kExact, "\xF0\x9F\x98\x80!"},
      {R"(\uD800\uDC00\uDBFF\uDFFF)", Unescaped::kExact, "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
  };
  for (const UnescapeCase& c : cases) {
    std::string out = "left over";
    EXPECT_EQ(UnescapeJson(c.content, &out), c.result) << c.content;
    EXPECT_EQ(out, c.out) << c.content;
  }
}

TEST(UnescapeJson, ReplacesLoneSurrogates) {
  const UnescapeCase cases[] = {
      {R"(\ud83d)", Unescaped::kReplaced, "\xEF\xBF\xBD"},
      {R"(\ude00)", Unescaped::kReplaced, "\xEF\xBF\xBD"},
      {R"(a\ud83db)", Unescaped::kReplaced,
       "a\xEF\xBF\xBD"
       "b"},
      {R"(\ude00\ud83d)", Unescaped::kReplaced, "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {R"(\ud83d\ud83d\ude00)", Unescaped::kReplaced, "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
      {R"(\ud83d\u0041)", Unescaped::kReplaced,
       "\xEF\xBF\xBD"
       "A"},
      {R"(\ud83d\n)", Unescaped::kReplaced, "\xEF\xBF\xBD\n"},
      {R"(\ud83d ude00)", Unescaped::kReplaced, "\xEF\xBF\xBD ude00"},
      {R"(\ud83d\ude00\ude00)", Unescaped::kReplaced, "\xF0\x9F\x98\x80\xEF\xBF\xBD"},
  };
  for (const UnescapeCase& c : cases) {
    std::string out;
    EXPECT_EQ(UnescapeJson(c.content, &out), c.result) << c.content;
    EXPECT_EQ(out, c.out) << c.content;
  }
}

TEST(UnescapeJson, RefusesOtherEscapes) {
  for (const std::string_view content :
       {R"(\)", R"(a\)", R"(\x41)", R"(\')", R"(\0)", R"(\N)", R"(\u)", R"(\u12)", R"(\u123)", R"(\u12g4)", R"(\u-123)",
        R"(\u+123)", R"(\u 123)", R"(\U0041)", R"(\ud83d\u)", R"(\ud83d\ude0)", R"(\ud83d\x)"}) {
    std::string out;
    EXPECT_EQ(UnescapeJson(content, &out), Unescaped::kMalformed) << content;
  }
}

TEST(LastHalf, IsAHighSurrogateAtTheEnd) {
  for (const std::string text : {R"(\ud83d)", R"(\uD83D)", R"(a\udbff)", R"(\ud83d\ude00\ud800)", R"(\\\ud83d)"}) {
    EXPECT_EQ(LastHalf(text), std::string_view(text).substr(text.size() - 6)) << text;
  }
  for (const std::string text :
       {"", "a", "ud83d", R"(\ude00)", R"(\ud83d\ude00)", R"(\ud83da)", R"(\u0041)", R"(\\ud83d)", R"(\\\\ud83d)"}) {
    EXPECT_EQ(LastHalf(text), "") << text;
  }
}

}  // namespace
}  // namespace igpt::internal
