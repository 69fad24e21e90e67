// Between the standard's string_view, which our interfaces speak, and Abseil's, which is another type when Abseil was
// built as C++14 or older (as Debian's is) and the same one otherwise.
#pragma once

#include <string_view>

#include "absl/strings/string_view.h"

namespace igpt::internal {

inline absl::string_view AbslView(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view StdView(absl::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace igpt::internal
