// An RunEvent as a line of text, so that a test is a table of events and lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "igpt/internal/json/codec.h"

namespace igpt::internal {

// What DecodeRunEvent makes of `data`: the kind of error, or what the event holds. The line ends with "raw" when the
// event has raw_json, which then has to be the whole of `data`.
std::string Describe(const std::string& data, std::string_view name = "", AnswerDecoding decoding = {},
                     RunProgress progress = {});
// The same, of an event after others.
std::string DescribeNext(const std::string& data, std::string_view name, AnswerDecoding decoding,
                         RunProgress& progress);

struct Case {
  std::string data;
  std::string description;
};

void Expect(const std::vector<Case>& cases);

}  // namespace igpt::internal
