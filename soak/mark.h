// What every event of the soak carries, so that whoever gets it can tell whose it is and that it is whole. Pure.
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

// As text that needs no escaping in JSON or URLs: the numbers, so many letters, and a hash over all of it.
std::string WriteMark(const Mark& mark, size_t padding);

// nullopt when the text is not what WriteMark wrote.
std::optional<Mark> ReadMark(std::string_view text);

// What a call is named on its way, in `x-request-id`: "soak-17".
std::string NameOf(uint32_t call);
std::optional<uint32_t> CallOf(std::string_view name);

}  // namespace igpt::soak
