// The parameters of a call, checked while they are read. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "service/sandbox/json.h"

namespace igptd::sandbox {

// Reads named values and remembers whether one was missing or malformed: read all, then ask ok(). A null counts as
// missing, as the official SDKs send it. Parameters that nobody reads are ignored.
class Params {
 public:
  explicit Params(const Json& object) : object_(object) {}

  std::string Required(const char* name);            // a string that isn't empty
  std::string Optional(const char* name);            // a string, empty when missing
  std::string Date(const char* name);                // YYYY-MM-DD of the calendar, empty when missing
  bool Flag(const char* name);                       // false when missing
  size_t Count(const char* name, size_t otherwise);  // a whole number from 1

  // What an answer is to be written in: "text" when missing, "json", or an object with a JSON Schema as its "schema".
  Json OutputFormat(const char* name);

  bool ok() const { return ok_; }

 private:
  // Null when missing.
  const Json& At(const char* name) const;

  const Json& object_;
  bool ok_ = true;
};

}  // namespace igptd::sandbox
