// Shows an answer while it comes.
#pragma once

#include <string>

#include "igpt/v1/recall.pb.h"

// The answer goes to stdout: text piece by piece as it is written, JSON in one piece when it is whole, so that what
// reads stdout never sees half of it. After text come its sources; what leads to the answer goes to stderr, if
// anywhere.
class AnswerPrinter {
 public:
  AnswerPrinter(bool json, bool verbose) : json_(json), verbose_(verbose) {}

  // The next event of the stream.
  void Print(const igpt::v1::AskResponse& event);

  // The stream has ended. Call it before anything else is printed; `whole` when it ended with OK.
  void End(bool whole);

 private:
  void PrintText(const std::string& text);
  void PrintRest();
  // One line on stderr, when --verbose asks for it.
  void Note(const std::string& line) const;

  const bool json_;
  const bool verbose_;
  std::string text_;           // the deltas so far
  bool at_line_start_ = true;  // of stdout
  igpt::v1::AskCompleted completed_;
};
