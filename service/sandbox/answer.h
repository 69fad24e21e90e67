// What the sandbox answers to a question: quotations from the messages found. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/sandbox/json.h"
#include "service/sandbox/mailbox.h"

namespace igptd::sandbox {

// What an answer is written from.
struct Findings {
  std::string question;
  bool connected = false;                // false: this user has no mailbox, so nothing was found
  bool matched = false;                  // false: no message matched; `messages` are the newest instead
  std::vector<const Message*> messages;  // the most relevant first
};

// `mailbox` is empty for a user with nothing connected.
Findings FindFor(std::string_view question, std::span<const Message> mailbox);

// The sentence of the message that has most to do with the question.
std::string_view BestSentence(const Message& message, std::string_view question);

// The answer in prose, without saying that it is the sandbox's.
std::string Prose(const Findings& findings);

// "11 June 2026"
std::string DayOf(const Message& message);

// Seconds since 1970.
int64_t TimeOf(const Message& message);

// Message ids as users see them: every account has its own copy of the mailbox.
std::string IdFor(const Message& message, std::string_view account);

// The messages as `sources` of an answer.
Json Sources(const Findings& findings, std::string_view account);

// The answer for the output format "json": {"answer": prose, "sources": [{"id", "title", "from", "date"}]}.
Json JsonAnswer(const Findings& findings, std::string_view account);

}  // namespace igptd::sandbox
