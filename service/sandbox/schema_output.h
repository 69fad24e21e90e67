// JSON that fits a JSON Schema. Pure.
#pragma once

#include "service/sandbox/answer.h"
#include "service/sandbox/json.h"

namespace igptd::sandbox {

// An instance of `schema` that validates, filled from the messages found where a property's name suggests what it wants
// (title, summary, owner, due_date, from, subject, …); an array holds an item for each message, at most three.
//
// Understood: type (also a list of them), properties, required, additionalProperties, min/maxProperties, items,
// prefixItems, contains, min/maxItems, uniqueItems, enum, const, allOf, anyOf and oneOf (the first branch that isn't
// null), $ref into the schema itself, the limits of numbers, multipleOf, min/maxLength, format, and pattern as good as
// string_pattern.h does it. Properties that are not required are left out where the schema repeats itself without end.
Json SchemaOutput(const Json& schema, const Findings& findings);

}  // namespace igptd::sandbox
