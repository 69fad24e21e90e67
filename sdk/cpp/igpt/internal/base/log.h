// Lines for people about what the library did on its own: see Options::log.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

namespace igpt::internal {

// Thread-safe, as far as its sink is.
class Log {
 public:
  explicit Log(std::function<void(std::string_view)> sink) : sink_(std::move(sink)) {}

  // Whether anybody wants to know. Where nobody does, Note() does nothing.
  bool wanted() const { return sink_ != nullptr; }
  void Note(std::string_view line) const;

  // For a mistake of the program: where there is no sink, on stderr.
  void Complain(std::string_view line) const;

 private:
  const std::function<void(std::string_view)> sink_;
};

}  // namespace igpt::internal
