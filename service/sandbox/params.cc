#include "service/sandbox/params.h"

#include <cmath>

#include "absl/time/civil_time.h"

namespace igptd::sandbox {
namespace {

constexpr double kMaxCount = 1e9;

}  // namespace

const Json& Params::At(const char* name) const {
  static const Json& null = *new Json();
  const auto found = object_.find(name);
  return found == object_.end() ? null : *found;
}

std::string Params::Required(const char* name) {
  std::string value = Optional(name);
  ok_ &= !value.empty();
  return value;
}

std::string Params::Optional(const char* name) {
  const Json& value = At(name);
  ok_ &= value.is_null() || value.is_string();
  return value.is_string() ? value.get<std::string>() : "";
}

std::string Params::Date(const char* name) {
  std::string value = Optional(name);
  absl::CivilDay day;
  // Written back, so that only the one spelling passes.
  ok_ &= value.empty() || (absl::ParseCivilTime(value, &day) && absl::FormatCivilTime(day) == value);
  return value;
}

bool Params::Flag(const char* name) {
  const Json& value = At(name);
  ok_ &= value.is_null() || value.is_boolean();
  return value == true;
}

size_t Params::Count(const char* name, size_t otherwise) {
  const Json& value = At(name);
  if (value.is_null()) return otherwise;
  const double count = value.is_number() ? value.get<double>() : 0;
  ok_ &= count >= 1 && count <= kMaxCount && count == std::floor(count);
  return ok_ ? static_cast<size_t>(count) : otherwise;
}

Json Params::OutputFormat(const char* name) {
  const Json& value = At(name);
  if (value.is_null()) return "text";
  ok_ &= value == "text" || value == "json" || (value.is_object() && value.value("schema", Json()).is_object());
  return value;
}

}  // namespace igptd::sandbox
