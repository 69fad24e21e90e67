// How far something is, as a bar.
#pragma once

#include <string>

// "██████░░░░░░░░░  40 %" in so many columns, or " 40 %" where they are too few. `percent` may be anything: it is taken
// for 0 to 100.
std::string ProgressBar(double percent, int columns);
