// JSON as the sandbox reads and writes it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace igptd::sandbox {

// Keeps keys in the order they were written: a model follows a schema's order, and so does the sandbox.
using Json = nlohmann::ordered_json;

// The JSON object that `text` is, nested at most 64 deep; nullopt when it is anything else. Whole numbers of 64 bits
// are exact however they are written: 1e19 and 9007199254740993.0 are integers.
std::optional<Json> ParseObject(std::string_view text);

// The value of a JSON number. Exact for whole numbers of 64 bits, as no double is.
long double NumberOf(const Json& number);

// The JSON number for `value`: an integer if it is a whole number of 64 bits, else the nearest double.
Json NumberJson(long double value);

// Whether the two are the same to JSON Schema. Numbers are compared exactly.
bool Same(const Json& a, const Json& b);

// JSON text. Bytes that are not UTF-8 become U+FFFD.
std::string Dump(const Json& json);

}  // namespace igptd::sandbox
