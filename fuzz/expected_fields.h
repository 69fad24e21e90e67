// The members of a JSON object, read one at a time by their keys. For expected.cc and expected_ask.cc.
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

// Each function gives nothing when the member is missing, null, or of a type or size that its field can't hold. Of
// members with the same key the last counts.
//
// whole() says whether what was read is all that there is: every key is known and there once, and each value is exactly
// what was read of it.
class Members {
 public:
  // `value` must outlive this. One that is no object has no members, and is not whole.
  Members(const JsonValue& value, std::initializer_list<std::string_view> known);

  bool whole() const { return whole_; }
  bool Seen(std::string_view key) const { return Last(key) != nullptr; }
  // Not null, if of another type.
  bool Has(std::string_view key) const;
  // Whether all members but these are null.
  bool HasOnly(std::initializer_list<std::string_view> keys) const;

  std::optional<std::string> String(std::string_view key);
  std::string StringOr(std::string_view key) { return String(key).value_or(""); }
  std::optional<int64_t> Int64(std::string_view key);
  std::optional<double> Double(std::string_view key);
  // Numbers of this unit; a time is that long after 1970.
  std::optional<absl::Time> Time(std::string_view key, absl::Duration unit);
  std::optional<absl::Duration> Duration(std::string_view key, absl::Duration unit);
  // The text as written.
  std::string Raw(std::string_view key) const;
  // A string or a list of strings.
  std::vector<std::string> Strings(std::string_view key);
  // nullptr when the member is missing or null.
  const JsonValue* Value(std::string_view key) const;
  // nullptr when the member is no list or object; then what was there is lost.
  const JsonValue* Array(std::string_view key);
  const JsonValue* Object(std::string_view key);

  // Something that was read further on is not all that there is.
  void Lost() { whole_ = false; }

 private:
  const JsonValue* Last(std::string_view key) const;
  const JsonValue* OfType(std::string_view key, JsonValue::Type type);
  std::optional<absl::Duration> Count(std::string_view key, absl::Duration unit, bool& exact);

  const JsonValue& value_;
  bool whole_ = true;
};

std::vector<igpt::Datasource> Datasources(const JsonValue& list, bool include_raw);

// The errors of the text itself, then the one that it reports. `not_json` is the error when it is no JSON.
template <typename T>
Expected<T> Failure(std::vector<igpt::ErrorKind> errors, std::string api_code = {}) {
  return {std::move(errors), std::move(api_code), {}};
}
std::vector<igpt::ErrorKind> TextErrors(std::string_view text, igpt::ErrorKind not_json);
// kAuth, kParams or kApi with its code; none when the object has no error.
struct ApiError {
  std::vector<igpt::ErrorKind> kinds;
  std::string code;
};
ApiError ReportedError(const JsonValue& root);

}  // namespace igpt_fuzz
