// A mark in every event of the soak: it tells the receiver which call the event belongs to, and whether it is complete.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace igpt::soak {

struct Mark {
  uint32_t call = 0;
  uint32_t user = 0;
  uint32_t attempt = 0;  // which of the call's requests it answers, from 1
  uint32_t seq = 0;      // its place in the answer, from 0

  bool operator==(const Mark&) const = default;
};

// Text that needs no escaping in JSON or URLs: the numbers, `padding` letters, and a hash of everything.
std::string WriteMark(const Mark& mark, size_t padding);

// nullopt if WriteMark did not write the text.
std::optional<Mark> ReadMark(std::string_view text);

// The `x-request-id` of calls that are attacks.
inline constexpr char kAttack[] = "soak-attack";

// The call's `x-request-id`, such as "soak-17".
std::string NameOf(uint32_t call);
std::optional<uint32_t> CallOf(std::string_view name);

}  // namespace igpt::soak
