// Prints an answer as it arrives.
#pragma once

#include <string>
#include <string_view>

#include "igpt/v1/run_event.pb.h"
#include "terminal/progress_line.h"
#include "terminal/terminal.h"
#include "terminal/wrap.h"

struct AnswerOptions {
  bool events = false;   // print the events themselves, as JSON, and nothing else
  bool json = false;     // the answer is JSON
  bool verbose = false;  // show each step to the answer, as a line
};

// The answer goes to stdout: text piece by piece, JSON in one piece once it is complete, so that a program that reads
// stdout never sees half of it. The sources follow the text. What iGPT does meanwhile goes to stderr: on a terminal as
// a line that the answer replaces, or with --verbose as lines.
class AnswerPrinter {
 public:
  explicit AnswerPrinter(const AnswerOptions& options);

  // Prints the next event of Ask or Run.
  void Print(const igpt::v1::RunEvent& event);

  // Call this when the stream has ended, before anything else is printed. `whole`: it ended with OK.
  void End(bool whole);

 private:
  void PrintText(std::string_view text);
  // Prints what is left to print of a complete answer.
  void PrintRest();
  // Says what is going on: `now` for a moment, or with --verbose `line` for good. Empty: nothing.
  void Tell(std::string_view now, std::string_view line);
  void EndLine();

  const AnswerOptions options_;
  const Terminal out_ = Terminal::Out();
  const Terminal err_ = Terminal::Err();
  ProgressLine progress_;
  Wrapper wrapper_;
  std::string text_;           // the deltas so far
  bool at_line_start_ = true;  // of stdout
  igpt::v1::RunCompleted completed_;
};
