// What a request must satisfy before anything is sent. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "igpt/error.h"
#include "igpt/options.h"
#include "igpt/types.h"

namespace igpt::internal {

// Every violation of the request, in the order of its fields; empty when it may be sent. `default_user` stands in for
// an empty user. Field names are those of igptd's protos, which are these structs' too: "user",
// "output_format.json_schema.schema".
//
// Checked: required fields; the limits of options.h; valid UTF-8; no control characters (CR, LF, NUL and the like) in
// names (user, id, service, scope, quality, a schema's name, redirect_uri); dates of the calendar in order; max_results
// not negative; a schema that is a JSON object.
std::vector<FieldViolation> Check(const AskRequest& request, std::string_view default_user);
std::vector<FieldViolation> Check(const SearchRequest& request, std::string_view default_user);
std::vector<FieldViolation> Check(const ListRequest& request, std::string_view default_user);
std::vector<FieldViolation> Check(const DisconnectRequest& request, std::string_view default_user);
std::vector<FieldViolation> Check(const AuthorizeRequest& request, std::string_view default_user);

// The same for the headers of CallOptions ("headers" is the field's name) and its api_key.
std::vector<FieldViolation> Check(const CallOptions& options);

}  // namespace igpt::internal
