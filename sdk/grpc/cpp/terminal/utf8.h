// Text as characters.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

struct Character {
  std::optional<char32_t> code;  // nullopt: this byte is not UTF-8
  size_t bytes = 1;
};

// The first character of `text`, which must not be empty.
Character FirstCharacter(std::string_view text);
