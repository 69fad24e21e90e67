#include "service/sandbox/schema_merge.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "service/sandbox/text.h"

namespace igptd::sandbox {
namespace {

// How many schemas one may be made of: more are a schema that refers to itself.
constexpr int kMaxParts = 200;
// How far a common multiple of fractions is looked for.
constexpr int kMaxTimes = 1000;

// What `reference`, a JSON pointer in a fragment ("#/$defs/item"), points to; null when it points to nothing.
const Json* Find(const Json& root, std::string_view reference) {
  if (!Consume(reference, "#")) return nullptr;
  Consume(reference, "/");
  const Json* node = &root;
  for (const std::string_view part : Split(reference, '/')) {
    const std::string key = Replaced(part, {{"~1", "/"}, {"~0", "~"}, {"%24", "$"}, {"%25", "%"}});
    size_t index = 0;
    if (node->is_object() && node->contains(key)) {
      node = &node->at(key);
    } else if (node->is_array() && ParseNumber(key, index) && index < node->size()) {
      node = &node->at(index);
    } else {
      return nullptr;
    }
  }
  return node;
}

Json List(const Json& value) {
  return value.is_array() ? value : Json::array({value});
}

// The elements that both lists hold; for types, an integer is a number.
Json Common(const Json& a, const Json& b) {
  Json common = Json::array();
  for (const Json& element : a) {
    const auto same = [&](const Json& other) {
      return Same(element, other) || (element == "integer" && other == "number");
    };
    const auto wider = [&](const Json& other) { return element == "number" && other == "integer"; };
    if (std::any_of(b.begin(), b.end(), same)) common.push_back(element);
    if (std::any_of(b.begin(), b.end(), wider)) common.push_back("integer");
  }
  return common;
}

// Makes `into` ask for what both ask for.
void Merge(const Json& from, Json& into) {
  for (const auto& [key, value] : from.items()) {
    if (!into.contains(key)) {
      into[key] = value;
    } else if (key == "properties" && value.is_object() && into[key].is_object()) {
      for (const auto& [name, property] : value.items()) {
        Json& known = into[key][name];
        known = known.is_null() ? property : Json{{"allOf", Json::array({known, property})}};
      }
    } else if (key == "required" && value.is_array() && into[key].is_array()) {
      for (const Json& name : value) {
        if (std::find(into[key].begin(), into[key].end(), name) == into[key].end()) into[key].push_back(name);
      }
    } else if (key == "type" || key == "enum") {
      into[key] = Common(List(into[key]), List(value));
    } else if (key == "items" || key == "additionalProperties") {
      const bool none = into[key] == false || value == false;
      into[key] = none ? Json(false) : Json{{"allOf", Json::array({into[key], value})}};
    } else if (key == "uniqueItems") {
      into[key] = into[key] == true || value == true;
    } else if (key == "multipleOf" && value.is_number() && into[key].is_number()) {
      into[key] = NumberJson(CommonMultiple(NumberOf(into[key]), NumberOf(value)));
    } else if (value.is_number() && into[key].is_number()) {
      const bool lower_bound = key.starts_with("min") || key.starts_with("exclusiveMin");
      if (lower_bound == (NumberOf(into[key]) < NumberOf(value))) into[key] = value;
    }
  }
}

bool IsNull(const Json& schema) {
  return schema.is_object() && schema.value("type", Json()) == "null";
}

void FlattenInto(const Json& schema, const Json& root, int& parts_left, Json& flat) {
  if (!schema.is_object() || parts_left-- <= 0) return;
  Json own = schema;
  for (const char* key : {"$ref", "allOf", "anyOf", "oneOf", "$defs", "definitions"}) own.erase(key);
  Merge(own, flat);
  if (const auto reference = schema.find("$ref"); reference != schema.end() && reference->is_string()) {
    const Json* target = Find(root, reference->get_ref<const std::string&>());
    if (target != nullptr) FlattenInto(*target, root, parts_left, flat);
  }
  if (const auto all = schema.find("allOf"); all != schema.end() && all->is_array()) {
    for (const Json& part : *all) FlattenInto(part, root, parts_left, flat);
  }
  for (const char* key : {"anyOf", "oneOf"}) {
    const auto branches = schema.find(key);
    if (branches == schema.end() || !branches->is_array() || branches->empty()) continue;
    const auto branch = std::find_if_not(branches->begin(), branches->end(), IsNull);
    FlattenInto(branch == branches->end() ? branches->front() : *branch, root, parts_left, flat);
  }
}

}  // namespace

long double CommonMultiple(long double a, long double b) {
  if (a <= 0 || b <= 0) return std::max(a, b);
  if (a == std::round(a) && b == std::round(b)) {
    long double divisor = a;
    for (long double rest = b; rest > 0;) divisor = std::exchange(rest, std::fmod(divisor, rest));
    return a / divisor * b;
  }
  for (int times = 1; times <= kMaxTimes; ++times) {
    // As doubles: ten times 0.1, for one, is then 1.
    const auto multiple = static_cast<double>(a * times);
    const auto count = static_cast<double>(multiple / b);
    if (count == std::round(count)) return multiple;
  }
  return a;
}

Json Flatten(const Json& schema, const Json& root) {
  Json flat = Json::object();
  int parts_left = kMaxParts;
  FlattenInto(schema, root, parts_left, flat);
  return flat;
}

}  // namespace igptd::sandbox
