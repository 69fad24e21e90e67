#include "service/sandbox/answer.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>

#include "absl/time/time.h"
#include "service/sandbox/search.h"
#include "service/sandbox/text.h"
#include "service/sandbox/words.h"

namespace igptd::sandbox {
namespace {

constexpr size_t kMaxMessages = 4;

absl::Time When(const Message& message) {
  absl::Time time;
  absl::ParseTime(absl::RFC3339_sec, std::string(message.date), &time, nullptr);
  return time;
}

// A sentence ends with ".", "!" or "?" before a space.
std::vector<std::string_view> Sentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  while (!text.empty()) {
    size_t end = text.find_first_of(".!?");
    while (end != text.npos && end + 1 < text.size() && text[end + 1] != ' ') end = text.find_first_of(".!?", end + 1);
    sentences.push_back(text.substr(0, end == text.npos ? end : end + 1));
    text.remove_prefix(sentences.back().size());
    text = Trim(text);
  }
  return sentences;
}

// The sentences in the order of their relevance; equally relevant ones as they were written.
std::vector<std::string_view> ByRelevance(const Message& message, std::string_view question) {
  const std::set<std::string> asked = Words(question);
  std::multimap<ptrdiff_t, std::string_view, std::greater<>> by_score;
  for (const std::string_view sentence : Sentences(message.body)) {
    const std::set<std::string> said = Words(sentence);
    const auto is_said = [&](const std::string& word) { return said.contains(word); };
    by_score.emplace(std::count_if(asked.begin(), asked.end(), is_said), sentence);
  }
  std::vector<std::string_view> sentences;
  for (const auto& [score, sentence] : by_score) sentences.push_back(sentence);
  return sentences;
}

// The two most relevant sentences in the order they were written, with an ellipsis where something was left out.
std::string Quotation(const Message& message, std::string_view question) {
  std::vector<std::string_view> chosen = ByRelevance(message, question);
  chosen.resize(std::min<size_t>(chosen.size(), 2));
  std::sort(chosen.begin(), chosen.end(), [](std::string_view a, std::string_view b) { return a.data() < b.data(); });
  const bool adjacent = chosen.size() < 2 || chosen[0].data() + chosen[0].size() + 1 == chosen[1].data();
  return chosen.size() < 2 ? Cat(chosen[0]) : Cat(chosen[0], adjacent ? " " : " […] ", chosen[1]);
}

}  // namespace

Findings FindFor(std::string_view question, std::span<const Message> mailbox) {
  Findings findings;
  findings.question = std::string(question);
  findings.connected = !mailbox.empty();
  Query query;
  query.words = findings.question;
  query.limit = kMaxMessages;
  findings.messages = Search(mailbox, query);
  findings.matched = !findings.messages.empty();
  query.words.clear();
  if (!findings.matched) findings.messages = Search(mailbox, query);
  return findings;
}

std::string_view BestSentence(const Message& message, std::string_view question) {
  return ByRelevance(message, question).front();
}

std::string Prose(const Findings& findings) {
  if (!findings.connected) {
    return "Nothing is connected for this user yet. Call Authorize, open the URL it returns, and ask again.";
  }
  const Message& best = *findings.messages.front();
  std::string prose;
  if (findings.matched) {
    prose += Cat("On ", DayOf(best), " ", NameOf(best.from), " wrote in “", best.subject, "”: “",
                 Quotation(best, findings.question), "”");
  } else {
    prose += Cat("No message matches the question. The newest one is “", best.subject, "” of ", DayOf(best), " by ",
                 NameOf(best.from), ": “", BestSentence(best, findings.question), "”");
  }
  for (size_t i = 1; i < findings.messages.size(); ++i) {
    const Message& message = *findings.messages[i];
    prose += Cat(i == 1 ? "\n\nSee also:" : "", "\n- ", NameOf(message.from), " on ", DayOf(message), " in “",
                 message.subject, "”: “", BestSentence(message, findings.question), "”");
  }
  return prose;
}

std::string DayOf(const Message& message) {
  return absl::FormatTime("%-d %B %Y", When(message), absl::UTCTimeZone());
}

int64_t TimeOf(const Message& message) {
  return absl::ToUnixSeconds(When(message));
}

std::string IdFor(const Message& message, std::string_view account) {
  return Cat(account, "/", message.id);
}

Json Sources(const Findings& findings, std::string_view account) {
  Json sources = Json::array();
  for (const Message* message : findings.messages) {
    const std::string name(NameOf(message->from));
    sources.push_back({{"id", IdFor(*message, account)},
                       {"type", "message"},
                       {"timestamp", TimeOf(*message)},
                       {"provider", name},
                       {"picture", Cat("https://example.com/pictures/", Lower(Replaced(name, {{" ", "-"}})), ".png")},
                       {"title", message->subject}});
  }
  return sources;
}

Json JsonAnswer(const Findings& findings, std::string_view account) {
  Json answer = {{"answer", Prose(findings)}, {"sources", Json::array()}};
  for (const Message* message : findings.messages) {
    answer["sources"].push_back({{"id", IdFor(*message, account)},
                                 {"title", message->subject},
                                 {"from", message->from},
                                 {"date", message->date}});
  }
  return answer;
}

}  // namespace igptd::sandbox
