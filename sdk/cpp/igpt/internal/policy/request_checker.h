// What a request must satisfy before anything is sent. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "igpt/error.h"
#include "igpt/options.h"
#include "igpt/types.h"

namespace igpt::internal {

// Finds every violation of a request's fields: see VisitFields. Their names are those of igptd's protos, which are the
// structs' too: "user", "output_format.json_schema.schema".
class RequestChecker {
 public:
  // `default_user` stands in for an empty user.
  explicit RequestChecker(std::string_view default_user) : default_user_(default_user) {}

  void User(std::string_view own);
  // Any valid UTF-8.
  void Text(std::string_view name, std::string_view value, size_t max_bytes);
  void RequiredText(std::string_view name, std::string_view value, size_t max_bytes);
  // For a text that could end up in a header, a URL or a log: no control characters (CR, LF, NUL and the like).
  void Name(std::string_view name, std::string_view value, size_t max_bytes = kMaxNameBytes);
  void RequiredName(std::string_view name, std::string_view value);
  // Days of the calendar, YYYY-MM-DD, in this order; either may be empty.
  void Days(std::string_view from_name, std::string_view from, std::string_view to_name, std::string_view to);
  // Not negative.
  void Count(std::string_view name, int value);
  void Stream() {}
  // A schema is one JSON object.
  void Format(const OutputFormat& format);

  // All violations, the user's first, then in the order of the fields.
  std::vector<FieldViolation> Finish() &&;

 private:
  void UserName(std::string_view user);
  void Add(std::string_view field, std::string description);

  const std::string_view default_user_;
  std::vector<FieldViolation> of_user_;
  std::vector<FieldViolation> violations_;
};

// The same for CallOptions: its headers, traceparent, request_id and api_key.
std::vector<FieldViolation> Check(const CallOptions& options);

// The same for headers, each a name and a value; "headers" is the field's name.
std::vector<FieldViolation> CheckHeaders(const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace igpt::internal
