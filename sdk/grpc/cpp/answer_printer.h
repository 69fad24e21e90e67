// Prints an answer as it arrives.
#pragma once

#include <string>

#include "igpt/v1/run_event.pb.h"

// The answer goes to stdout: text piece by piece, JSON in one piece once it is complete, so that a program that reads
// stdout never sees half of it. The sources follow the text. With --verbose, the steps to the answer go to stderr.
class AnswerPrinter {
 public:
  AnswerPrinter(bool json, bool verbose) : json_(json), verbose_(verbose) {}

  // Prints the next event of the stream.
  void Print(const igpt::v1::RunEvent& event);

  // Call this when the stream has ended, before anything else is printed. `whole`: it ended with OK.
  void End(bool whole);

 private:
  void PrintText(const std::string& text);
  void PrintRest();
  // Prints a line to stderr if --verbose is set.
  void Note(const std::string& line) const;

  const bool json_;
  const bool verbose_;
  std::string text_;           // the deltas so far
  bool at_line_start_ = true;  // of stdout
  igpt::v1::RunCompleted completed_;
};
