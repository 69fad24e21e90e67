// What can be done with a stream that may be a terminal.
#pragma once

#include <string>
#include <string_view>

class Terminal {
 public:
  // Standard output and standard error.
  static Terminal Out();
  static Terminal Err();

  // Whether it is a terminal, not a file or a pipe.
  bool is_terminal() const { return is_terminal_; }
  // Whether it is one that obeys escape sequences.
  bool has_escapes() const { return has_escapes_; }
  // Its columns now; 0 if it is no terminal. People resize windows: ask again.
  int width() const;

  // The text in a style, where colours are wanted; otherwise the text.
  std::string Bold(std::string_view text) const { return Styled("1", text); }
  std::string Dim(std::string_view text) const { return Styled("2", text); }
  std::string Red(std::string_view text) const { return Styled("31", text); }

 private:
  explicit Terminal(int descriptor);
  std::string Styled(std::string_view style, std::string_view text) const;

  const int descriptor_;
  const bool is_terminal_;
  const bool has_escapes_;
  const bool has_colours_;
};
