// JSON as the sandbox reads and writes it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace igptd::sandbox {

// Keeps keys in the order they were written: a model follows a schema's order, and so does the sandbox.
using Json = nlohmann::ordered_json;

// The JSON object that `text` is, nested at most 64 deep; nullopt when it is anything else.
std::optional<Json> ParseObject(std::string_view text);

// JSON text. Bytes that are not UTF-8 become U+FFFD.
std::string Dump(const Json& json);

}  // namespace igptd::sandbox
