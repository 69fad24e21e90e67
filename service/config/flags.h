// Command line flags and the environment variables that stand in for them, as functions over a table. Knows no flag.
//
// A flag is written `--name=value`; one that is true or false also as bare `--name`. The variable of `--max_retries` is
// IGPTD_MAX_RETRIES; a flag wins over its variable. An empty variable is an empty value, not an absent one.
//
// No flag may be called `port` or `service_...`: for a Service called igptd, Kubernetes sets IGPTD_PORT and
// IGPTD_SERVICE_... in every pod beside it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace igptd {

// What a flag sets: how it is written, what it is now, and how to set it from text. The functions below make one from a
// variable, which must outlive it.
struct FlagValue {
  std::string hint;  // e.g. "DURATION"; empty: true or false
  std::string text;  // what it was when this was made, as one would write it
  // Fails with what the value must be. The message doesn't repeat the value: it may be meant for nobody's eyes.
  std::function<absl::Status(const std::string& value)> set;
};

// true, false.
FlagValue Boolean(bool& variable);
// Anything, nothing included.
FlagValue Text(std::string& variable, std::string hint);
// A whole number, not negative.
FlagValue Integer(int& variable);
// 15s, 1m30s, 250ms, 0, as in Go. From `min` to a day.
FlagValue Duration(absl::Duration& variable, absl::Duration min);
// A number of bytes, or of KiB, MiB or GiB: 65536, 64KiB.
FlagValue Bytes(size_t& variable);
// Where to listen: a host and a numeric port, with an IPv6 address in brackets.
FlagValue Address(std::string& variable);
// The same, or nothing.
FlagValue OptionalAddress(std::string& variable);
// One of these.
FlagValue Choice(std::string& variable, std::vector<std::string> choices);

struct Flag {
  std::string name;  // without the dashes
  std::string help;  // one line
  FlagValue value;
  std::string source = "";  // what set it, "--name" or "IGPTD_NAME"; empty: nothing did
};

// What a flag is in the end.
struct Setting {
  std::string name;    // without the dashes
  std::string value;   // as one would write it
  std::string source;  // as Flag has it
};

// getenv(3), or what stands in for it.
using GetEnv = absl::FunctionRef<const char*(const char* variable)>;

// Sets what the arguments and variables say. Every problem in one line that names the flag or variable and the remedy;
// none when all is well.
std::vector<std::string> ParseFlags(const std::vector<std::string>& args, GetEnv getenv, std::vector<Flag>& flags);

// One aligned line per flag, with its default.
std::string FlagsHelp(const std::vector<Flag>& flags);

}  // namespace igptd
