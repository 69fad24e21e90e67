// Reads the members of a JSON object by their keys. For expected.cc and expected_run.cc.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "fuzz/expected.h"
#include "fuzz/json_reference.h"
#include "igpt/types.h"

namespace igpt_fuzz {

// Each function returns nothing if the member is missing, null, or of a type or size that its field can't hold. Of
// members with the same key, the last counts.
//
// whole() returns whether everything was read: every key is known and appears once, and each value was read exactly.
class Members {
 public:
  // `value` must outlive this. A value that is not an object has no members and is not whole.
  Members(const JsonValue& value, std::initializer_list<std::string_view> known);

  bool whole() const { return whole_; }
  bool Seen(std::string_view key) const { return Last(key) != nullptr; }
  // Whether the member exists and is not null, whatever its type.
  bool Has(std::string_view key) const;
  // Whether all members but these are null.
  bool HasOnly(std::initializer_list<std::string_view> keys) const;

  std::optional<std::string> String(std::string_view key);
  std::string StringOr(std::string_view key) { return String(key).value_or(""); }
  std::optional<int32_t> Int32(std::string_view key);
  std::optional<double> Double(std::string_view key);
  // Numbers in this unit; a time counts from 1970.
  std::optional<absl::Time> Time(std::string_view key, absl::Duration unit);
  std::optional<absl::Duration> Duration(std::string_view key, absl::Duration unit);
  // The text as written.
  std::string Raw(std::string_view key) const;
  // A string or a list of strings.
  std::vector<std::string> Strings(std::string_view key);
  // nullptr if the member is missing or null.
  const JsonValue* Value(std::string_view key) const;
  // nullptr if the member is not an array or object; its value is then lost.
  const JsonValue* Array(std::string_view key);
  const JsonValue* Object(std::string_view key);

  // Notes that something was not read completely elsewhere.
  void Lost() { whole_ = false; }

 private:
  const JsonValue* Last(std::string_view key) const;
  const JsonValue* OfType(std::string_view key, JsonValue::Type type);
  std::optional<absl::Duration> Count(std::string_view key, absl::Duration unit, bool& exact);

  const JsonValue& value_;
  bool whole_ = true;
};

std::vector<igpt::Datasource> Datasources(const JsonValue& list, bool include_raw);

// The errors of the text itself, then the one that it reports. `not_json`: the error if it is not JSON.
template <typename T>
Expected<T> Failure(std::vector<igpt::ErrorKind> errors, std::string api_code = {}) {
  return {std::move(errors), std::move(api_code), {}};
}
std::vector<igpt::ErrorKind> TextErrors(std::string_view text, igpt::ErrorKind not_json);
// kAuth, kParams or kApi with its code; none if the object holds no error.
struct ApiError {
  std::vector<igpt::ErrorKind> kinds;
  std::string code;
};
ApiError ReportedError(const JsonValue& root);
ApiError ErrorOfCode(const std::string& code);

}  // namespace igpt_fuzz
