#include "terminal/wrap.h"

#include <algorithm>

#include "terminal/columns.h"
#include "terminal/utf8.h"

std::string Wrapper::Add(std::string_view text) {
  if (width_ == 0) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const size_t bytes = FirstCharacter(text).bytes;
    AddCharacter(text.substr(0, bytes), out);
    text.remove_prefix(bytes);
  }
  return out;
}

std::string Wrapper::End() {
  std::string out;
  AddWord(out);
  spaces_.clear();
  return out;
}

void Wrapper::AddCharacter(std::string_view character, std::string& out) {
  if (character == "\n") {
    AddWord(out);
    spaces_.clear();
    column_ = 0;
    out += '\n';
  } else if (character == " " || character == "\t") {
    AddWord(out);
    AddSpace(character);
  } else if (Columns(character) == 2) {
    AddWord(out);
    word_ = character;
    AddWord(out);
  } else {
    word_ += character;
  }
}

void Wrapper::AddSpace(std::string_view character) {
  constexpr int kTab = 8;
  const int column = column_ + static_cast<int>(spaces_.size());
  spaces_.append(character == "\t" ? kTab - column % kTab : 1, ' ');
}

void Wrapper::AddWord(std::string& out) {
  if (word_.empty()) return;
  const int columns = Columns(word_);
  const int room = std::max(0, width_ - column_ - columns);  // for spaces
  if (column_ == 0) {
    spaces_.resize(std::min<size_t>(spaces_.size(), room));
  } else if (column_ + static_cast<int>(spaces_.size()) + columns > width_) {
    out += '\n' + indent_;
    column_ = Columns(indent_);
    spaces_.clear();
  }
  out += spaces_ + word_;
  column_ += static_cast<int>(spaces_.size()) + columns;
  spaces_.clear();
  word_.clear();
}

std::string Wrapped(std::string_view text, int width, std::string_view indent) {
  Wrapper wrapper(width, indent);
  std::string out = wrapper.Add(text);
  return out + wrapper.End();
}
