#include "service/sandbox/words.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "service/sandbox/text.h"

namespace igptd::sandbox {
namespace {

// Words that say nothing of what a question is about.
bool IsCommon(std::string_view word) {
  static const auto& common = *new std::set<std::string_view>{
      "a",    "about", "all",   "an",        "and",    "any",    "anything", "are",   "as",    "at",        "be",
      "by",   "can",   "could", "day",       "days",   "did",    "do",       "does",  "email", "emails",    "extract",
      "find", "for",   "from",  "give",      "had",    "has",    "have",     "how",   "i",     "in",        "inbox",
      "is",   "it",    "its",   "json",      "last",   "latest", "list",     "me",    "month", "my",        "of",
      "on",   "or",    "our",   "please",    "recent", "return", "s",        "show",  "so",    "summarise", "summarize",
      "t",    "tell",  "that",  "the",       "their",  "there",  "they",     "this",  "to",    "today",     "unread",
      "us",   "was",   "we",    "week",      "were",   "what",   "when",     "where", "which", "who",       "why",
      "will", "with",  "would", "yesterday", "you",    "your"};
  return common.contains(word);
}

// From a stem to the stem that stands for it.
constexpr std::pair<std::string_view, std::string_view> kSynonyms[] = {
    {"agre", "decid"},   {"approv", "decid"},  {"approval", "decid"}, {"bill", "invoic"},
    {"candidat", "hir"}, {"decis", "decid"},   {"flight", "travel"},  {"outag", "incident"},
    {"recruit", "hir"},  {"releas", "launch"}, {"renewal", "renew"},  {"trip", "travel"}};

std::string Stem(std::string_view word) {
  if (word.size() > 4 && word.ends_with("s") && !word.ends_with("ss")) {
    word.remove_suffix(1);
    if (word.ends_with("ie")) return Cat(word.substr(0, word.size() - 2), "y");
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

// Whether `text` begins with a letter or a digit: of what isn't ASCII, everything but the dashes and quotation marks of
// U+2000 to U+206F.
bool BeginsWord(std::string_view text) {
  if (text.empty()) return false;
  const char c = text[0];
  if ((c & 0x80) != 0) return !text.starts_with("\xE2\x80") && !text.starts_with("\xE2\x81");
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

std::set<std::string> Words(std::string_view text) {
  std::set<std::string> words;
  while (!text.empty()) {
    size_t size = 0;
    while (BeginsWord(text.substr(size))) ++size;
    const std::string word = Lower(text.substr(0, size));
    if (size > 0 && !IsCommon(word)) words.insert(Stem(word));
    text.remove_prefix(size);
    while (!text.empty() && !BeginsWord(text))
      text.remove_prefix(std::min<size_t>(text.starts_with('\xE2') ? 3 : 1, text.size()));
  }
  return words;
}

}  // namespace igptd::sandbox
