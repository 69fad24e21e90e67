// Text for terminals: made safe, measured, shortened, wrapped, and as a bar.
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "terminal/columns.h"
#include "terminal/printable.h"
#include "terminal/progress_bar.h"
#include "terminal/utf8.h"
#include "terminal/wrap.h"

namespace {

using namespace std::string_literals;

TEST(PrintableTest, ControlCharactersAreReplaced) {
  const struct {
    std::string text;
    std::string printable;
  } cases[] = {
      {"", ""},
      {"plain, ünïcödé, 漢字, 👍", "plain, ünïcödé, 漢字, 👍"},
      {"a\tb\nc\n", "a\tb\nc\n"},
      {"a\r\nb\rc", "a\nbc"},
      {"\033[31mred\033[0m", "�[31mred�[0m"},
      {"\033]0;title\007", "�]0;title�"},
      {"\u009b31m", "�31m"},
      {"\0\b\x7f"s, "���"},
      {"\x9b\xff", "��"},            // single bytes
      {"\xc0\x9b", "��"},            // an escape sequence's beginning, written too long
      {"\xed\xa0\x80", "���"},       // a surrogate
      {"\xf4\x90\x80\x80", "����"},  // beyond Unicode
      {"\xe6\xbc", "��"},            // cut off
      {"\xe6\033[m", "��[m"},        // cut off by an escape sequence
      {"\xef\xbf\xbd\xf4\x8f\xbf\xbf", "�\xf4\x8f\xbf\xbf"},
  };
  for (const auto& row : cases) EXPECT_EQ(Printable(row.text), row.printable);
}

TEST(PrintableTest, OneLineHasNoBreaks) {
  EXPECT_EQ(OneLine(""), "");
  EXPECT_EQ(OneLine("  a \r\n\tb\n\nc\033 "), "a b c�");
}

TEST(ColumnsTest, CountWhatIsSeen) {
  const struct {
    std::string text;
    int columns;
  } cases[] = {{"", 0}, {"abc", 3}, {"ü", 1}, {"u\u0308", 1}, {"漢字", 4}, {"👍", 2}, {"…█░", 3}, {"\xff", 1}};
  for (const auto& row : cases) EXPECT_EQ(Columns(row.text), row.columns) << row.text;
}

TEST(ColumnsTest, ShortenedFits) {
  EXPECT_EQ(Shortened("abc", 3), "abc");
  EXPECT_EQ(Shortened("abcd", 3), "ab…");
  EXPECT_EQ(Shortened("漢字漢字", 5), "漢字…");
  EXPECT_EQ(Shortened("漢字漢字", 4), "漢…");
  EXPECT_EQ(Shortened("abc", 1), "…");
}

// Character by character.
std::string WrappedInPieces(std::string_view text, int width, std::string_view indent) {
  Wrapper wrapper(width, indent);
  std::string wrapped;
  while (!text.empty()) {
    const size_t bytes = FirstCharacter(text).bytes;
    wrapped += wrapper.Add(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return wrapped + wrapper.End();
}

TEST(WrapTest, LinesFit) {
  const struct {
    std::string text;
    int width;
    std::string indent;
    std::string wrapped;
  } cases[] = {
      {"", 5, "", ""},
      {"one two three", 0, "", "one two three"},
      {"one two three", 13, "", "one two three"},
      {"one two three", 12, "", "one two\nthree"},
      {"one two three", 5, "", "one\ntwo\nthree"},
      {"one two three", 7, "  ", "one two\n  three"},
      {"one two three", 1, "  ", "one\n  two\n  three"},
      {"one  two   three ", 8, "", "one  two\nthree"},
      {"one\n\n  two\n", 5, "", "one\n\n  two\n"},
      {"- one two\n- three four", 7, "  ", "- one\n  two\n- three\n  four"},
      {"        deep", 6, "", "  deep"},
      {"a\tb", 20, "", "a       b"},
      {"a http://127.0.0.1/long b", 10, "", "a\nhttp://127.0.0.1/long\nb"},
      {"漢字漢字漢字", 5, "", "漢字\n漢字\n漢字"},
      {"über größer", 5, "", "über\ngrößer"},
  };
  for (const auto& row : cases) {
    EXPECT_EQ(Wrapped(row.text, row.width, row.indent), row.wrapped) << row.text;
    EXPECT_EQ(WrappedInPieces(row.text, row.width, row.indent), row.wrapped) << row.text;
  }
}

TEST(WrapTest, HoldsBackOnlyAWord) {
  Wrapper wrapper(20);
  EXPECT_EQ(wrapper.Add("one tw"), "one");
  EXPECT_EQ(wrapper.Add("o "), " two");
  EXPECT_EQ(wrapper.Add("three\n"), " three\n");
  EXPECT_EQ(wrapper.End(), "");
}

TEST(ProgressBarTest, FitsAndIsFullOnlyAtTheEnd) {
  const struct {
    double percent;
    int columns;
    std::string bar;
  } cases[] = {
      {0, 16, "░░░░░░░░░░   0 %"},
      {40, 16, "████░░░░░░  40 %"},
      {99.9, 16, "█████████░  99 %"},
      {100, 16, "██████████ 100 %"},
      {250, 16, "██████████ 100 %"},
      {-1, 16, "░░░░░░░░░░   0 %"},
      {std::numeric_limits<double>::quiet_NaN(), 16, "░░░░░░░░░░   0 %"},
      {std::numeric_limits<double>::infinity(), 11, "█████ 100 %"},
      {40, 10, " 40 %"},
      {40, -2, " 40 %"},
  };
  for (const auto& row : cases) EXPECT_EQ(ProgressBar(row.percent, row.columns), row.bar);
}

}  // namespace
