// Breaks text into lines that fit a terminal.
#pragma once

#include <string>
#include <string_view>

// For text that arrives in pieces, which may end within a word: the last word is held back until it is whole. Lines
// break at spaces and between characters that take two columns. A word that is longer than a line stays whole, so that
// an address can still be copied.
class Wrapper {
 public:
  // `width` in columns; 0 changes nothing. `indent` begins each line that wrapping adds.
  explicit Wrapper(int width, std::string_view indent = "") : width_(width), indent_(indent) {}

  // What can be printed now.
  std::string Add(std::string_view text);

  // The rest.
  std::string End();

 private:
  void AddCharacter(std::string_view character, std::string& out);
  void AddSpace(std::string_view character);
  void AddWord(std::string& out);

  const int width_;
  const std::string indent_;
  int column_ = 0;      // where the next word goes if there are no spaces before it
  std::string spaces_;  // before that word
  std::string word_;
};

// A whole text.
std::string Wrapped(std::string_view text, int width, std::string_view indent = "");
