// JSON into structs, by tables of fields. Nothing is lost in silence: every read says how much the struct holds.
//
//   Held ReadUsage(Input& in, Usage* out) {
//     Field fields[] = {
//         Bind<ReadInt64>("input_tokens", &out->input_tokens),
//         Bind<ReadInt64>("output_tokens", &out->output_tokens),
//     };
//     return ReadFields(in, fields);
//   }
//
// A read function reads the value that `in.json` is at, of whatever type it is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "igpt/internal/json/reader.h"

namespace igpt::internal {

struct Input {
  JsonReader json;
  bool include_raw = false;  // fill every raw_json
};

// How much of a value its field holds.
enum class Held {
  kWhole,
  kPart,     // what it holds is right, but there was more: raw_json has to have it
  kNothing,  // the value is of a type or size that the field can't hold; the field's content is of no use
};

// A member of an object and where it goes. Null is the same as absent; of members with the same key the last counts.
struct Field {
  std::string_view key;
  void* out;
  Held (*read)(Input& in, void* out);
  bool seen = false;     // the object has the key
  bool present = false;  // and its value isn't null
};

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

// `Read` fills a T, or what an optional T holds. A field that holds nothing of its value is T().
template <auto Read, typename T>
Field Bind(std::string_view key, T* out) {
  return {key, out, [](Input& in, void* target) {
            T& field = *static_cast<T*>(target);
            field = T();
            if (in.json.type() == JsonType::kNull) return Held::kWhole;
            Held held;
            if constexpr (kIsOptional<T>) {
              held = Read(in, &field.emplace());
            } else {
              held = Read(in, &field);
            }
            if (held == Held::kNothing) field = T();
            return held;
          }};
}

// An object. It is held whole when it has no keys but these, each once, and all their values are.
Held ReadFields(Input& in, std::span<Field> fields);

// What ReadFields found: whether the object has the key; whether its value isn't null; whether all values that aren't
// null are under these keys.
bool Seen(std::span<const Field> fields, std::string_view key);
bool Has(std::span<const Field> fields, std::string_view key);
template <size_t N>
bool HasOnly(std::span<const Field> fields, const std::string_view (&keys)[N]) {
  return std::all_of(fields.begin(), fields.end(), [&keys](const Field& field) {
    return !field.present || std::find(keys, keys + N, field.key) != keys + N;
  });
}

// The structs of a list take up to a hundred times the memory of its text: more elements than this are an error.
inline constexpr size_t kMaxListItems = 100'000;

// An array. Elements of which nothing can be held are left out.
template <typename T, Held (*Read)(Input&, T*)>
Held ReadList(Input& in, std::vector<T>* out) {
  if (in.json.type() != JsonType::kArray) return Held::kNothing;
  Held list = Held::kWhole;
  in.json.ReadArray([&] {
    if (out->size() == kMaxListItems) return in.json.Stop(JsonError::kTooLong);
    const Held element = Read(in, &out->emplace_back());
    if (element != Held::kWhole) list = Held::kPart;
    if (element == Held::kNothing) out->pop_back();
  });
  return list;
}

Held ReadString(Input& in, std::string* out);
// A number without fraction and exponent.
Held ReadInt32(Input& in, int32_t* out);
// A number; decimals as the nearest double.
Held ReadDouble(Input& in, double* out);
// A number. Times are those of the years 1 to 9999, durations up to 10,000 years: what protobuf can hold.
Held ReadUnixSeconds(Input& in, absl::Time* out);
Held ReadUnixMillis(Input& in, absl::Time* out);
Held ReadMillis(Input& in, absl::Duration* out);
// Any value, as it is written: the one that `in.json` is at, or the one that was just read.
Held ReadRaw(Input& in, std::string* out);

}  // namespace igpt::internal
