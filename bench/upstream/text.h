// Filler text for answers, and numbers as text.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace igpt::bench {

// Exactly `size` bytes of words that need no escaping in JSON.
inline std::string Words(size_t size) {
  constexpr std::string_view kSentence =
      "The invoice of March was paid in full and the contract runs until next year. ";
  std::string words;
  words.reserve(size + kSentence.size());
  while (words.size() < size) words += kSentence;
  words.resize(size);
  return words;
}

// A number as text, without an allocation.
class Number {
 public:
  explicit Number(int64_t number, int base = 10)
      : size_(std::to_chars(digits_, digits_ + sizeof(digits_), number, base).ptr - digits_) {}

  // The view is valid as long as this.
  std::string_view text() const { return {digits_, size_}; }

 private:
  char digits_[20];  // the lowest int64_t, with its sign, in decimal
  size_t size_;
};

}  // namespace igpt::bench
