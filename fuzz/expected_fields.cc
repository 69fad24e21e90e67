#include "fuzz/expected_fields.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"

namespace igpt_fuzz {
namespace {

using Type = JsonValue::Type;

constexpr absl::Duration kMaxDuration = absl::Seconds(315'576'000'000);

// nullopt if it has a fraction or an exponent, or doesn't fit.
std::optional<int64_t> ToInt64(std::string_view number) {
  if (number.find_first_of(".eE") != number.npos) return std::nullopt;
  errno = 0;
  const int64_t value = std::strtoll(std::string(number).c_str(), nullptr, 10);
  return errno == 0 ? std::optional<int64_t>(value) : std::nullopt;
}

// nullopt for overflow to infinity and underflow to 0.
std::optional<double> ToDouble(std::string_view number) {
  const double value = std::strtod(std::string(number).c_str(), nullptr);
  const std::string_view significand = number.substr(0, number.find_first_of("eE"));
  const bool is_zero = significand.find_first_of("123456789") == number.npos;
  if (std::isinf(value) || (value == 0 && !is_zero)) return std::nullopt;
  return value;
}

absl::Time StartOfYear(int64_t year) {
  return absl::FromCivil(absl::CivilYear(year), absl::UTCTimeZone());
}

}  // namespace

Members::Members(const JsonValue& value, std::initializer_list<std::string_view> known) : value_(value) {
  if (value.type != Type::kObject) whole_ = false;
  for (const std::string& key : value.keys) {
    if (std::find(known.begin(), known.end(), key) == known.end()) whole_ = false;
    if (std::count(value.keys.begin(), value.keys.end(), key) > 1) whole_ = false;
  }
}

const JsonValue* Members::Last(std::string_view key) const {
  const JsonValue* last = nullptr;
  for (size_t i = 0; i < value_.keys.size(); ++i) {
    if (value_.keys[i] == key) last = &value_.elements[i];
  }
  return last;
}

const JsonValue* Members::Value(std::string_view key) const {
  const JsonValue* last = Last(key);
  return last != nullptr && last->type != Type::kNull ? last : nullptr;
}

const JsonValue* Members::OfType(std::string_view key, Type type) {
  const JsonValue* value = Value(key);
  if (value == nullptr || value->type == type) return value;
  Lost();
  return nullptr;
}

const JsonValue* Members::Array(std::string_view key) {
  return OfType(key, Type::kArray);
}

const JsonValue* Members::Object(std::string_view key) {
  return OfType(key, Type::kObject);
}

bool Members::Has(std::string_view key) const {
  return Value(key) != nullptr;
}

bool Members::HasOnly(std::initializer_list<std::string_view> keys) const {
  return std::all_of(value_.keys.begin(), value_.keys.end(), [&](const std::string& key) {
    return !Has(key) || std::find(keys.begin(), keys.end(), key) != keys.end();
  });
}

std::optional<std::string> Members::String(std::string_view key) {
  const JsonValue* value = OfType(key, Type::kString);
  if (value == nullptr) return std::nullopt;
  if (!value->exact) Lost();
  return value->string;
}

std::optional<int32_t> Members::Int32(std::string_view key) {
  const JsonValue* value = OfType(key, Type::kNumber);
  if (value == nullptr) return std::nullopt;
  const std::optional<int64_t> number = ToInt64(value->text);
  if (number && std::in_range<int32_t>(*number)) return static_cast<int32_t>(*number);
  Lost();
  return std::nullopt;
}

std::optional<double> Members::Double(std::string_view key) {
  const JsonValue* value = OfType(key, Type::kNumber);
  if (value == nullptr) return std::nullopt;
  const std::optional<double> number = ToDouble(value->text);
  if (!number) Lost();
  return number;
}

// Truncated to nanoseconds. Numbers with exponents are read as doubles, and never count as exact.
std::optional<absl::Duration> Members::Count(std::string_view key, absl::Duration unit, bool& exact) {
  const JsonValue* value = OfType(key, Type::kNumber);
  if (value == nullptr) return std::nullopt;
  const std::string_view number = value->text;
  if (number.find_first_of("eE") != number.npos) {
    exact = false;
    const std::optional<double> count = ToDouble(number);
    if (!count || std::abs(*count) > 0x1p62) return std::nullopt;
    return *count * unit;
  }
  const size_t point = std::min(number.find('.'), number.size());
  const std::string_view sign = number.starts_with('-') ? "-" : "";
  const std::optional<int64_t> whole = ToInt64(number.substr(sign.size(), point - sign.size()));
  if (!whole) return std::nullopt;
  std::string fraction(point == number.size() ? "" : number.substr(point + 1));
  const size_t places = unit == absl::Seconds(1) ? 9 : 6;
  exact = fraction.find_first_not_of('0', std::min(places, fraction.size())) == fraction.npos;
  fraction.resize(places, '0');
  const absl::Duration duration = *whole * unit + absl::Nanoseconds(std::strtoll(fraction.c_str(), nullptr, 10));
  return sign.empty() ? duration : -duration;
}

std::optional<absl::Time> Members::Time(std::string_view key, absl::Duration unit) {
  bool exact = true;
  const std::optional<absl::Duration> since_epoch = Count(key, unit, exact);
  if (!since_epoch || !exact) {
    if (Has(key)) Lost();
    if (!since_epoch) return std::nullopt;
  }
  const absl::Time time = absl::UnixEpoch() + *since_epoch;
  if (time >= StartOfYear(1) && time < StartOfYear(10000)) return time;
  Lost();
  return std::nullopt;
}

std::optional<absl::Duration> Members::Duration(std::string_view key, absl::Duration unit) {
  bool exact = true;
  const std::optional<absl::Duration> duration = Count(key, unit, exact);
  if (!duration || !exact) {
    if (Has(key)) Lost();
    if (!duration) return std::nullopt;
  }
  if (*duration >= -kMaxDuration && *duration <= kMaxDuration) return duration;
  Lost();
  return std::nullopt;
}

std::string Members::Raw(std::string_view key) const {
  const JsonValue* value = Value(key);
  return value == nullptr ? "" : std::string(value->text);
}

std::vector<std::string> Members::Strings(std::string_view key) {
  const JsonValue* value = Value(key);
  if (value == nullptr) return {};
  if (value->type == Type::kString) return {*String(key)};
  if (Array(key) == nullptr) return {};
  std::vector<std::string> strings;
  for (const JsonValue& element : value->elements) {
    if (element.type != Type::kString || !element.exact) Lost();
    if (element.type == Type::kString) strings.push_back(element.string);
  }
  return strings;
}

std::vector<igpt::Datasource> Datasources(const JsonValue& list, bool include_raw) {
  std::vector<igpt::Datasource> datasources;
  for (const JsonValue& element : list.elements) {
    Members members(element, {"id", "service", "type", "status", "title", "subtitle", "progress", "newest", "oldest"});
    igpt::Datasource& datasource = datasources.emplace_back();
    datasource.id = members.StringOr("id");
    datasource.service = members.StringOr("service");
    datasource.type = members.StringOr("type");
    datasource.status = members.StringOr("status");
    datasource.title = members.StringOr("title");
    datasource.subtitle = members.StringOr("subtitle");
    datasource.progress = members.Double("progress");
    datasource.newest_item_time = members.Time("newest", absl::Seconds(1));
    datasource.oldest_item_time = members.Time("oldest", absl::Seconds(1));
    if (!members.whole() || include_raw) datasource.raw_json = element.text;
  }
  return datasources;
}

std::vector<igpt::ErrorKind> TextErrors(std::string_view text, igpt::ErrorKind not_json) {
  const JsonVerdict verdict = JudgeJson(text);
  if (!verdict.utf8) return {igpt::ErrorKind::kMalformed};
  std::vector<igpt::ErrorKind> errors;
  if (verdict.too_deep) errors.push_back(igpt::ErrorKind::kMalformed);
  if (!verdict.json) errors.push_back(not_json);
  return errors;
}

ApiError ReportedError(const JsonValue& root) {
  Members members(root, {"error"});
  const JsonValue* error = members.Value("error");
  if (error == nullptr) return {};
  switch (error->type) {
    case Type::kNull:
      return {};
    case Type::kBool:
      return error->text == "true" ? ErrorOfCode("") : ApiError();
    case Type::kNumber:
      return std::strtod(std::string(error->text).c_str(), nullptr) != 0 ? ErrorOfCode("") : ApiError();
    case Type::kString:
      return error->string.empty() ? ApiError() : ErrorOfCode(error->string);
    case Type::kArray:
      return error->elements.empty() ? ApiError() : ErrorOfCode("");
    case Type::kObject:
      break;
  }
  if (error->elements.empty()) return {};
  std::string code;
  for (size_t i = 0; i < error->keys.size(); ++i) {
    if (error->keys[i] == "code" && error->elements[i].type == Type::kString) code = error->elements[i].string;
  }
  return ErrorOfCode(code);
}

ApiError ErrorOfCode(const std::string& code) {
  const bool plain = !code.empty() && code.size() <= 64 && std::all_of(code.begin(), code.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
  });
  if (!plain) return {{igpt::ErrorKind::kApi}, "unrecognized"};
  if (code == "auth") return {{igpt::ErrorKind::kAuth}, ""};
  if (code == "params") return {{igpt::ErrorKind::kParams}, ""};
  return {{igpt::ErrorKind::kApi}, code};
}

}  // namespace igpt_fuzz
