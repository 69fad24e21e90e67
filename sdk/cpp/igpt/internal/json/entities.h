// The structs that more than one answer holds, from JSON. See fields.h.
#pragma once

#include <vector>

#include "igpt/internal/json/fields.h"
#include "igpt/types.h"

namespace igpt::internal {

// Always held whole: its raw_json has what has no field, also when the value is no object at all.
Held ReadDatasource(Input& in, Datasource* out);

Held ReadSource(Input& in, Source* out);

// {"sources": […]}
Held ReadMetadata(Input& in, std::vector<Source>* out);

Held ReadUsage(Input& in, Usage* out);

// The value of an `error` key: iGPT's code, "unrecognized" when there is none. Empty, and not held whole, when the
// value is false, 0 or empty: the official SDK takes that for no error.
Held ReadApiError(Input& in, std::string* out);

}  // namespace igpt::internal
