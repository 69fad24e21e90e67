// The header fields of an HTTP answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace igpt::inline sdk_v1 {

// As they came, in their order, but for Set-Cookie, which is a secret; the first kMaxBytes of them.
class ResponseHeaders {
 public:
  static constexpr size_t kMaxBytes = 8 << 10;

  ResponseHeaders() = default;
  // Lines of "Name: value". What is not of this form is left out.
  explicit ResponseHeaders(std::string_view lines);

  bool empty() const { return lines_.empty(); }

  // The value of the first field with this name, in any case.
  std::optional<std::string_view> Get(std::string_view name) const;

  // All fields, names with their values. They point into this object.
  std::vector<std::pair<std::string_view, std::string_view>> All() const;

  // All of them as text, a line each.
  const std::string& lines() const { return lines_; }

  // Adds one, if there is room for it.
  void Add(std::string_view line);
  void Clear() { lines_.clear(); }

 private:
  std::string lines_;  // each ends with \n
};

}  // namespace igpt::inline sdk_v1
