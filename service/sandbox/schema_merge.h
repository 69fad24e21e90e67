// A JSON Schema without its references and combinations. Pure.
#pragma once

#include "service/sandbox/json.h"

namespace igptd::sandbox {

// `schema` with everything in it that $ref, allOf, anyOf and oneOf stand for at this level; of anyOf and oneOf the
// first branch that isn't null. What is below (properties, items) stays as it is. References are looked up in `root`.
// Always an object; a schema that is `true`, or refers to itself for ever, is the empty one.
Json Flatten(const Json& schema, const Json& root);

// The smallest positive number that is a multiple of both; the larger if one isn't positive, `a` if there is none near.
long double CommonMultiple(long double a, long double b);

}  // namespace igptd::sandbox
