// A line on stderr that says what is going on, and goes away.
#pragma once

#include <string_view>

#include "terminal/terminal.h"

// Shown only on a terminal that obeys escape sequences.
class ProgressLine {
 public:
  ProgressLine() = default;
  ~ProgressLine() { Erase(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows this instead of what is there.
  void Show(std::string_view text);
  // Do this before anything else is printed.
  void Erase();

 private:
  const Terminal terminal_ = Terminal::Err();
  bool shown_ = false;
};
