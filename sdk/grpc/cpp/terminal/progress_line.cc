#include "terminal/progress_line.h"

#include <iostream>

#include "terminal/columns.h"
#include "terminal/printable.h"

namespace {

constexpr char kEraseLine[] = "\r\033[K";

}  // namespace

void ProgressLine::Show(std::string_view text) {
  if (!terminal_.has_escapes()) return;
  // The last column stays free: a cursor behind it may already be on the next line.
  std::cerr << kEraseLine << terminal_.Dim(Shortened(OneLine(text), terminal_.width() - 1)) << std::flush;
  shown_ = true;
}

void ProgressLine::Erase() {
  if (shown_) std::cerr << kEraseLine << std::flush;
  shown_ = false;
}
