// Search over messages. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "service/sandbox/mailbox.h"

namespace igptd::sandbox {

struct Query {
  std::string words;      // any of them has to be in the subject or body; empty: every message
  std::string date_from;  // YYYY-MM-DD, inclusive, in UTC; empty: no bound
  std::string date_to;    // the same
  std::string people;  // parts of names or addresses, separated by commas: one of them has to take part; empty: anybody
  size_t limit = 20;
};

// The best match first: rare words weigh more than frequent ones, the subject more than the body. Messages that match
// equally well, and all when there are no words, are ordered newest first.
std::vector<const Message*> Search(std::span<const Message> messages, const Query& query);

}  // namespace igptd::sandbox
