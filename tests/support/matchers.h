// GoogleTest matchers for absl::Status and absl::StatusOr.
//
//   EXPECT_THAT(client.List(request), IsOk());
//   EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
//   EXPECT_THAT(answer, IsError(igpt::ErrorKind::kTruncated));
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "igpt/error.h"

namespace igpt::testing {

inline const absl::Status& ToStatus(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& ToStatus(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  *result_listener << ToStatus(arg).ToString();
  return ToStatus(arg).ok();
}

MATCHER_P(StatusIs, code, (negation ? "isn't " : "is ") + absl::StatusCodeToString(code)) {
  *result_listener << ToStatus(arg).ToString();
  return ToStatus(arg).code() == code;
}

MATCHER_P(IsError, kind, (negation ? "isn't the error " : "is the error ") + std::string(ErrorKindName(kind))) {
  const std::optional<Error> error = ErrorOf(ToStatus(arg));
  *result_listener << ToStatus(arg).ToString();
  if (error) *result_listener << " (" << std::string(ErrorKindName(error->kind)) << ")";
  return error && error->kind == kind;
}

}  // namespace igpt::testing
