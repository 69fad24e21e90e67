#include "igpt/internal/base/log.h"

#include <cstdio>
#include <string>

namespace igpt::internal {

void Log::Note(std::string_view line) const {
  if (!wanted()) return;
  try {
    sink_(line);
  } catch (...) {
    std::fputs("igpt: Options::log threw an exception, which is lost\n", stderr);
  }
}

void Log::Complain(std::string_view line) const {
  if (wanted()) return Note(line);
  std::fputs(("igpt: " + std::string(line) + "\n").c_str(), stderr);
}

}  // namespace igpt::internal
