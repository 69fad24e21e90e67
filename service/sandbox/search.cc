#include "service/sandbox/search.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "service/sandbox/text.h"
#include "service/sandbox/words.h"

namespace igptd::sandbox {
namespace {

// A part that matches in the subject counts as much as three in the body.
constexpr double kSubjectWeight = 3;

bool InDates(const Message& message, const Query& query) {
  const std::string_view day = message.date.substr(0, 10);
  return (query.date_from.empty() || day >= query.date_from) && (query.date_to.empty() || day <= query.date_to);
}

bool Involves(const Message& message, std::string_view people) {
  if (people.empty()) return true;
  for (const std::string_view part : Split(people, ',')) {
    const std::string wanted = Lower(part);
    const auto is_part_of = [&](std::string_view person) { return Contains(Lower(person), wanted); };
    if (is_part_of(message.from) || std::any_of(message.to.begin(), message.to.end(), is_part_of)) return true;
  }
  return false;
}

struct Candidate {
  const Message* message;
  std::set<std::string> subject;
  std::set<std::string> body;
  double score = 0;
};

}  // namespace

std::vector<const Message*> Search(std::span<const Message> messages, const Query& query) {
  std::vector<Candidate> candidates;
  for (const Message& message : messages) {
    candidates.push_back({&message, Words(message.subject), Words(message.body)});
  }
  const bool everything = Trim(query.words).empty();
  for (const std::string& word : Words(query.words)) {
    const auto holds = [&](const Candidate& c) { return c.subject.contains(word) || c.body.contains(word); };
    const auto frequency = static_cast<double>(std::count_if(candidates.begin(), candidates.end(), holds));
    const double weight = std::log(1 + static_cast<double>(candidates.size()) / std::max(1.0, frequency));
    for (Candidate& candidate : candidates) {
      if (candidate.subject.contains(word)) candidate.score += weight * kSubjectWeight;
      if (candidate.body.contains(word)) candidate.score += weight;
    }
  }
  std::erase_if(candidates, [&](const Candidate& candidate) {
    return (!everything && candidate.score == 0) || !InDates(*candidate.message, query) ||
           !Involves(*candidate.message, query.people);
  });
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::pair(a.score, a.message->date) > std::pair(b.score, b.message->date);
  });
  std::vector<const Message*> found;
  for (const Candidate& candidate : candidates) {
    if (found.size() == query.limit) break;
    found.push_back(candidate.message);
  }
  return found;
}

}  // namespace igptd::sandbox
