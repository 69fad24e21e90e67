// The expected results of decoding, according to json_codec.h and types.h, computed plainly from the whole document.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "igpt/error.h"
#include "igpt/internal/json/codec.h"
#include "igpt/types.h"

namespace igpt_fuzz {

template <typename T>
struct Expected {
  std::vector<igpt::ErrorKind> errors;  // decoding fails with one of these; empty: it gives `answer`
  std::string api_code;                 // kApi
  T answer = {};
};

Expected<igpt::AskEvent> ExpectedEvent(std::string_view data, std::string_view name,
                                       igpt::internal::AskDecoding decoding);
Expected<igpt::Answer> ExpectedAnswer(std::string_view body, igpt::internal::AskDecoding decoding);
Expected<igpt::SearchAnswer> ExpectedSearch(std::string_view body, bool include_raw);
Expected<igpt::ListAnswer> ExpectedList(std::string_view body, bool include_raw);
Expected<igpt::DisconnectAnswer> ExpectedDisconnect(std::string_view body, bool include_raw);
Expected<igpt::AuthorizeAnswer> ExpectedAuthorize(std::string_view body, bool include_raw);

// Aborts if the result is not the expected one.
void RequireExpected(const absl::StatusOr<igpt::AskEvent>& got, const Expected<igpt::AskEvent>& expected);
void RequireExpected(const absl::StatusOr<igpt::Answer>& got, const Expected<igpt::Answer>& expected);
void RequireExpected(const absl::StatusOr<igpt::SearchAnswer>& got, const Expected<igpt::SearchAnswer>& expected);
void RequireExpected(const absl::StatusOr<igpt::ListAnswer>& got, const Expected<igpt::ListAnswer>& expected);
void RequireExpected(const absl::StatusOr<igpt::DisconnectAnswer>& got,
                     const Expected<igpt::DisconnectAnswer>& expected);
void RequireExpected(const absl::StatusOr<igpt::AuthorizeAnswer>& got, const Expected<igpt::AuthorizeAnswer>& expected);

}  // namespace igpt_fuzz
