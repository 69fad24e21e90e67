#include "service/sandbox/schema_output.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "service/sandbox/schema_merge.h"
#include "service/sandbox/schema_text.h"

namespace igptd::sandbox {
namespace {

constexpr size_t kUsualItems = 3;
constexpr size_t kMaxItems = 1000;
// Below this depth, or with this many values, only what is required is made.
constexpr int kGenerousDepth = 8;
constexpr int kGenerousValues = 2000;
// A schema that requires more than this has no instance.
constexpr int kMaxDepth = 40;
constexpr int kMaxValues = 20000;

const Message& NothingFound() {
  static const auto& nothing = *new Message{"m00",
                                            "t-nothing",
                                            "2026-01-01T00:00:00Z",
                                            "Nobody <nobody@example.com>",
                                            {"Nobody <nobody@example.com>"},
                                            "Nothing found",
                                            "Nothing found.",
                                            {}};
  return nothing;
}

bool IsOfType(const Json& value, std::string_view type) {
  if (type == "integer") return value.is_number() && NumberOf(value) == std::round(NumberOf(value));
  if (type == "number") return value.is_number();
  return type == value.type_name();
}

// The type to make: of several the first that isn't null; when the schema says none, what its other keywords are about.
std::string TypeOf(const Json& schema) {
  const Json type = schema.value("type", Json());
  if (type.is_string()) return type;
  if (type.is_array()) {
    for (const Json& one : type) {
      if (one.is_string() && one != "null") return one;
    }
    if (!type.empty()) return "null";
  }
  const auto has = [&](const char* key) { return schema.contains(key); };
  if (has("properties") || has("required") || has("additionalProperties") || has("minProperties")) return "object";
  if (has("items") || has("prefixItems") || has("contains") || has("minItems")) return "array";
  if (has("minimum") || has("maximum") || has("exclusiveMinimum") || has("exclusiveMaximum") || has("multipleOf")) {
    return "number";
  }
  return "string";
}

long double Bound(const Json& schema, const char* key, long double otherwise) {
  const auto bound = schema.find(key);
  return bound != schema.end() && bound->is_number() ? NumberOf(*bound) : otherwise;
}

size_t Count(const Json& schema, const char* key, size_t otherwise) {
  return static_cast<size_t>(
      std::clamp<long double>(Bound(schema, key, static_cast<long double>(otherwise)), 0, kMaxItems));
}

class Writer {
 public:
  Writer(const Json& root, const Findings& findings) : root_(root), findings_(findings) {}

  // `index` says which of the messages is told about; beyond the last one they are told again, with a number.
  Json Value(const Json& schema, std::string_view name, size_t index, int depth) {
    ++values_;
    if (TooMuch() || depth > kMaxDepth) return nullptr;
    const Json flat = Flatten(schema, root_);
    if (const auto constant = flat.find("const"); constant != flat.end()) return *constant;
    const std::string type = TypeOf(flat);
    if (const auto choices = flat.find("enum"); choices != flat.end() && choices->is_array() && !choices->empty()) {
      return Choice(*choices, flat.contains("type") ? type : "", index);
    }
    if (type == "object") return Object(flat, index, depth);
    if (type == "array") return Array(flat, name, index, depth);
    if (type == "number" || type == "integer") return Number(flat, name, index, type == "integer");
    if (type == "boolean") return true;
    if (type == "null") return nullptr;
    return SchemaText(flat, name, MessageAt(index), Round(index), findings_.question);
  }

 private:
  const Message& MessageAt(size_t index) const {
    return findings_.messages.empty() ? NothingFound() : *findings_.messages[index % findings_.messages.size()];
  }

  size_t Round(size_t index) const { return index / std::max<size_t>(1, findings_.messages.size()); }

  bool TooMuch() const { return values_ > kMaxValues; }

  bool Generous(int depth) const { return depth < kGenerousDepth && values_ < kGenerousValues; }

  static Json Choice(const Json& choices, std::string_view type, size_t index) {
    Json fitting = Json::array();
    for (const Json& choice : choices) {
      if (type.empty() ? !choice.is_null() : IsOfType(choice, type)) fitting.push_back(choice);
    }
    return fitting.empty() ? choices.front() : fitting[index % fitting.size()];
  }

  Json Object(const Json& schema, size_t index, int depth) {
    const Json properties = schema.value("properties", Json::object());
    const Json required = schema.value("required", Json::array());
    const Json others = schema.value("additionalProperties", Json(true));
    const auto is_required = [&](const std::string& key) {
      return std::find(required.begin(), required.end(), Json(key)) != required.end();
    };
    size_t optional_left = Count(schema, "maxProperties", kMaxItems);
    optional_left -= std::min(optional_left, required.size());

    Json object = Json::object();
    for (const auto& [key, property] : properties.items()) {
      if (property == false) continue;
      if (!is_required(key)) {
        if (!Generous(depth) || optional_left == 0) continue;
        --optional_left;
      }
      object[key] = Value(property, key, index, depth + 1);
    }
    for (const Json& key : required) {
      if (!key.is_string() || object.contains(key.get_ref<const std::string&>())) continue;
      object[key.get_ref<const std::string&>()] = Value(others, key.get_ref<const std::string&>(), index, depth + 1);
    }
    const size_t least = others == false ? 0 : Count(schema, "minProperties", 0);
    for (size_t i = 1; object.size() < least && !TooMuch(); ++i) {
      object["extra_" + std::to_string(i)] = Value(others, "", index, depth + 1);
    }
    return object;
  }

  Json Array(const Json& schema, std::string_view name, size_t index, int depth) {
    Json items = schema.value("items", Json(true));
    Json prefix = schema.value("prefixItems", Json::array());
    if (items.is_array()) {  // as prefixItems was written before 2020
      prefix = items;
      items = schema.value("additionalItems", Json(true));
    }
    const size_t least = Count(schema, "minItems", 0);
    const size_t usual =
        Generous(depth) ? std::max(prefix.size(), std::min(kUsualItems, findings_.messages.size())) : 0;
    size_t length = std::min(std::max(usual, least), Count(schema, "maxItems", kMaxItems));
    if (items == false) length = std::min(length, prefix.size());
    const bool unique = schema.value("uniqueItems", Json(false)) == true;

    Json array = Json::array();
    const auto add = [&](const Json& item_schema, size_t i) {
      Json item = Value(item_schema, name, index + i, depth + 1);
      if (!unique || std::none_of(array.begin(), array.end(), [&](const Json& other) { return Same(other, item); }))
        array.push_back(std::move(item));
    };
    if (const auto contained = schema.find("contains"); contained != schema.end() && prefix.empty()) {
      length = std::max<size_t>(length, 1);
      add(Json{{"allOf", Json::array({items, *contained})}}, 0);
    }
    // In place of an item that was there before, the next message is tried, until each was told so many times.
    const size_t tries = length * std::max<size_t>(1, findings_.messages.size()) + kUsualItems;
    for (size_t i = array.size(); array.size() < length && i < tries && !TooMuch(); ++i) {
      add(i < prefix.size() ? prefix[i] : items, i);
    }
    return array;
  }

  // In long doubles, which hold every whole number of 64 bits.
  Json Number(const Json& schema, std::string_view name, size_t index, bool integer) {
    constexpr auto kInfinity = std::numeric_limits<long double>::infinity();
    long double low = Bound(schema, "minimum", -kInfinity);
    long double high = Bound(schema, "maximum", kInfinity);
    const long double above =
        Bound(schema, "exclusiveMinimum", schema.value("exclusiveMinimum", Json()) == true ? low : -kInfinity);
    const long double below =
        Bound(schema, "exclusiveMaximum", schema.value("exclusiveMaximum", Json()) == true ? high : kInfinity);
    long double multiple = Bound(schema, "multipleOf", 0);
    if (integer) multiple = CommonMultiple(multiple, 1);
    long double value = SchemaNumber(name, MessageAt(index)) + static_cast<long double>(Round(index));
    if (multiple > 0) {
      low = std::max(std::ceil(low / multiple), std::floor(above / multiple) + 1) * multiple;
      high = std::min(std::floor(high / multiple), std::ceil(below / multiple) - 1) * multiple;
      value = std::round(value / multiple) * multiple;
    } else {
      const long double step = std::min(1.0L, (std::min(high, below) - std::max(low, above)) / 2);
      if (above >= low) low = above + step;
      if (below <= high) high = below - step;
    }
    return NumberJson(std::max(low, std::min(high, value)));
  }

  const Json& root_;
  const Findings& findings_;
  int values_ = 0;
};

}  // namespace

Json SchemaOutput(const Json& schema, const Findings& findings) {
  return Writer(schema, findings).Value(schema, "", 0, 0);
}

}  // namespace igptd::sandbox
