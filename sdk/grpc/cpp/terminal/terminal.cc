#include "terminal/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace {

// "" if it isn't set.
std::string_view Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Terminal Terminal::Out() {
  return Terminal(STDOUT_FILENO);
}

Terminal Terminal::Err() {
  return Terminal(STDERR_FILENO);
}

Terminal::Terminal(int descriptor)
    : descriptor_(descriptor),
      is_terminal_(isatty(descriptor) != 0),
      has_escapes_(is_terminal_ && !Variable("TERM").empty() && Variable("TERM") != "dumb"),
      has_colours_(has_escapes_ && Variable("NO_COLOR").empty()) {}

int Terminal::width() const {
  constexpr int kUnknown = 80;
  if (!is_terminal_) return 0;
  winsize size = {};
  return ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUnknown;
}

std::string Terminal::Styled(std::string_view style, std::string_view text) const {
  if (!has_colours_ || text.empty()) return std::string(text);
  std::string styled = "\033[";
  return styled.append(style).append("m").append(text).append("\033[0m");
}
