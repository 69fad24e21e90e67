// What decoding must give, by codec.h and types.h, computed plainly from the whole document.
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
  std::vector<igpt::ErrorKind> errors;  // it fails with one of them; empty: it gives `answer`
  std::string api_code;                 // kApi
  T answer = {};
};

Expected<igpt::RunEvent> ExpectedEvent(std::string_view data, std::string_view name,
                                       igpt::internal::AnswerDecoding decoding);
Expected<igpt::Answer> ExpectedAnswer(std::string_view body, igpt::internal::AnswerDecoding decoding);
Expected<igpt::SearchAnswer> ExpectedSearch(std::string_view body, bool include_raw);
Expected<igpt::ListAnswer> ExpectedList(std::string_view body, bool include_raw);
Expected<igpt::DisconnectAnswer> ExpectedDisconnect(std::string_view body, bool include_raw);
Expected<igpt::AuthorizeAnswer> ExpectedAuthorize(std::string_view body, bool include_raw);

// Ends the program when it is not what was expected.
void RequireExpected(const absl::StatusOr<igpt::RunEvent>& got, const Expected<igpt::RunEvent>& expected);
void RequireExpected(const absl::StatusOr<igpt::Answer>& got, const Expected<igpt::Answer>& expected);
void RequireExpected(const absl::StatusOr<igpt::SearchAnswer>& got, const Expected<igpt::SearchAnswer>& expected);
void RequireExpected(const absl::StatusOr<igpt::ListAnswer>& got, const Expected<igpt::ListAnswer>& expected);
void RequireExpected(const absl::StatusOr<igpt::DisconnectAnswer>& got,
                     const Expected<igpt::DisconnectAnswer>& expected);
void RequireExpected(const absl::StatusOr<igpt::AuthorizeAnswer>& got, const Expected<igpt::AuthorizeAnswer>& expected);

}  // namespace igpt_fuzz
