#include "terminal/note.h"

#include <iostream>

#include "terminal/terminal.h"
#include "terminal/wrap.h"

void PrintNote(std::string_view text) {
  std::cerr << Wrapped(text, Terminal::Err().width(), "  ") << "\n";
}

void PrintError(std::string_view text) {
  const Terminal terminal = Terminal::Err();
  std::cerr << terminal.Red(Wrapped(text, terminal.width(), "    ")) << "\n";
}
