#include "terminal/progress_bar.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"

std::string ProgressBar(double percent, int columns) {
  constexpr int kShortest = 5;
  percent = std::isnan(percent) ? 0 : std::clamp(percent, 0.0, 100.0);
  // Rounded down: 100 means that it is done.
  std::string text = absl::StrFormat("%3d %%", static_cast<int>(percent));
  const int cells = columns - static_cast<int>(text.size()) - 1;
  if (cells < kShortest) return text;
  const int full = static_cast<int>(percent * cells / 100);
  std::string bar;
  for (int cell = 0; cell < cells; ++cell) bar += cell < full ? "█" : "░";
  return bar + " " + text;
}
