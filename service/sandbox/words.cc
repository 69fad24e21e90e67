#include "service/sandbox/words.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "service/sandbox/text.h"

namespace igptd::sandbox {
namespace {

// Words that say nothing of what a question is about, each between spaces.
constexpr std::string_view kCommon =
    " a about all an and any anything are as at be by can could day days did do does email emails extract "
    "find for from give had has have how i in inbox is it its json last latest list me month my of on or "
    "our please recent return s show so summarise summarize t tell that the their there they this to "
    "today unread us was we week were what when where which who why will with would yesterday you your ";

// From a stem to the stem that stands for it.
constexpr std::pair<std::string_view, std::string_view> kSynonyms[] = {
    {"agre", "decid"},   {"approv", "decid"},  {"approval", "decid"}, {"bill", "invoic"},
    {"candidat", "hir"}, {"decis", "decid"},   {"flight", "travel"},  {"outag", "incident"},
    {"recruit", "hir"},  {"releas", "launch"}, {"renewal", "renew"},  {"trip", "travel"}};

std::string Stem(std::string_view word) {
  if (word.size() > 4 && word.ends_with("s") && !word.ends_with("ss")) {
    word.remove_suffix(1);
    if (word.ends_with("ie")) return std::string(word.substr(0, word.size() - 2)) + "y";
  }
  for (const std::string_view ending : {"ing", "ion", "ed", "e"}) {
    if (word.size() >= ending.size() + 3 && word.ends_with(ending)) {
      word.remove_suffix(ending.size());
      break;
    }
  }
  const auto* synonym =
      std::find_if(std::begin(kSynonyms), std::end(kSynonyms), [&](const auto& entry) { return entry.first == word; });
  return std::string(synonym == std::end(kSynonyms) ? word : synonym->second);
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<signed char>(c) < 0;
}

}  // namespace

std::set<std::string> Words(std::string_view text) {
  const std::string lower = Lower(Replaced(
      text, {{"\u2018", "'"}, {"\u2019", "'"}, {"\u201C", "\""}, {"\u201D", "\""}, {"\u2013", "-"}, {"\u2014", "-"}}));
  std::set<std::string> words;
  for (auto start = lower.begin(); (start = std::find_if(start, lower.end(), IsLetter)) != lower.end();) {
    const auto end = std::find_if_not(start, lower.end(), IsLetter);
    const std::string_view word(&*start, static_cast<size_t>(end - start));
    if (!Contains(kCommon, Cat(" ", word, " "))) words.insert(Stem(word));
    start = end;
  }
  return words;
}

}  // namespace igptd::sandbox
