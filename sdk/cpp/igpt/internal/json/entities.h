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

// The value of an `error` key: iGPT's code, "unrecognized" when it isn't a plain token. Always held whole.
Held ReadApiError(Input& in, std::string* out);

}  // namespace igpt::internal
