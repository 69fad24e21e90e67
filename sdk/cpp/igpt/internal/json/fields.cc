#include "igpt/internal/json/fields.h"

#include <algorithm>
#include <utility>

#include "igpt/internal/json/scalar.h"

namespace igpt::internal {
namespace {

constexpr absl::Time kMinTime = absl::FromUnixSeconds(-62'135'596'800);    // 0001-01-01
constexpr absl::Time kEndOfTime = absl::FromUnixSeconds(253'402'300'800);  // 10000-01-01
constexpr absl::Duration kMaxDuration = absl::Seconds(315'576'000'000);

Held ReadDuration(Input& in, absl::Duration unit, absl::Duration* out) {
  if (in.json.type() != JsonType::kNumber) return Held::kNothing;
  const std::optional<DecimalDuration> duration = ToDuration(in.json.ReadNumber(), unit);
  if (!duration) return Held::kNothing;
  *out = duration->value;
  return duration->exact ? Held::kWhole : Held::kPart;
}

Held ReadTime(Input& in, absl::Duration unit, absl::Time* out) {
  absl::Duration since_epoch;
  const Held held = ReadDuration(in, unit, &since_epoch);
  *out = absl::UnixEpoch() + since_epoch;
  return *out >= kMinTime && *out < kEndOfTime ? held : Held::kNothing;
}

}  // namespace

Held ReadFields(Input& in, std::span<Field> fields) {
  if (in.json.type() != JsonType::kObject) return Held::kNothing;
  Held held = Held::kWhole;
  in.json.ReadObject([&](std::string_view key) {
    const auto field = std::find_if(fields.begin(), fields.end(), [key](const Field& f) { return f.key == key; });
    if (field == fields.end()) {
      held = Held::kPart;
      return;
    }
    if (field->seen) held = Held::kPart;
    field->seen = true;
    field->present = in.json.type() != JsonType::kNull;
    if (field->read(in, field->out) != Held::kWhole) held = Held::kPart;
  });
  return held;
}

bool Seen(std::span<const Field> fields, std::string_view key) {
  return std::any_of(fields.begin(), fields.end(), [key](const Field& f) { return f.seen && f.key == key; });
}

bool Has(std::span<const Field> fields, std::string_view key) {
  return std::any_of(fields.begin(), fields.end(), [key](const Field& f) { return f.present && f.key == key; });
}

Held ReadString(Input& in, std::string* out) {
  if (in.json.type() != JsonType::kString) return Held::kNothing;
  return in.json.ReadString(out) ? Held::kWhole : Held::kPart;
}

Held ReadInt32(Input& in, int32_t* out) {
  if (in.json.type() != JsonType::kNumber) return Held::kNothing;
  const std::optional<int64_t> value = ToInt64(in.json.ReadNumber());
  if (!value || !std::in_range<int32_t>(*value)) return Held::kNothing;
  *out = static_cast<int32_t>(*value);
  return Held::kWhole;
}

Held ReadDouble(Input& in, double* out) {
  if (in.json.type() != JsonType::kNumber) return Held::kNothing;
  const std::optional<double> value = ToDouble(in.json.ReadNumber());
  if (!value) return Held::kNothing;
  *out = *value;
  return Held::kWhole;
}

Held ReadUnixSeconds(Input& in, absl::Time* out) {
  return ReadTime(in, absl::Seconds(1), out);
}

Held ReadUnixMillis(Input& in, absl::Time* out) {
  return ReadTime(in, absl::Milliseconds(1), out);
}

Held ReadMillis(Input& in, absl::Duration* out) {
  const Held held = ReadDuration(in, absl::Milliseconds(1), out);
  return absl::AbsDuration(*out) <= kMaxDuration ? held : Held::kNothing;
}

Held ReadRaw(Input& in, std::string* out) {
  in.json.Skip();
  *out = in.json.last_text();
  return Held::kWhole;
}

}  // namespace igpt::internal
