// Texts for the strings of a JSON Schema, out of a message. Pure.
#pragma once

#include <string>
#include <string_view>

#include "service/sandbox/json.h"
#include "service/sandbox/mailbox.h"

namespace igptd::sandbox {

// A string that fits `schema` (flattened): what its format or pattern asks for, else what the property's name suggests,
// cut or filled to its length. `round` says how often the message served before: its text is numbered then.
std::string SchemaText(const Json& schema, std::string_view name, const Message& message, size_t round,
                       std::string_view question);

// The first amount of money in the message where the name suggests an amount, 0.9 where it suggests a likelihood,
// else 1.
double SchemaNumber(std::string_view name, const Message& message);

}  // namespace igptd::sandbox
