// Parses command line flags and the environment variables that can replace them, given a table of flags.
//
// A flag is written `--name=value`; a boolean flag also as bare `--name`. The variable of `--max_retries` is
// IGPTD_MAX_RETRIES; a flag wins over its variable. An empty variable is an empty value, not an absent one.
//
// No flag may be called `port`, `service_host` or the like: Kubernetes sets such variables in every pod of a namespace
// with a Service called igptd (service_variables.h).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace igptd {

// The value of a flag: how it is written, what it is now, and how to set it from text. The functions below make one for
// a variable, which must outlive it.
struct FlagValue {
  std::string hint;  // for example "DURATION"; empty: true or false
  std::string text;  // the default: the value when this was made, as one would write it
  // Returns an error that says what the value must be. It never repeats the value, which may be secret.
  std::function<absl::Status(const std::string& value)> set;
};

// true, false.
FlagValue Boolean(bool& variable);
// Any text, even an empty one.
FlagValue Text(std::string& variable, std::string hint);
// A whole number from 0.
FlagValue Integer(int& variable);
// 15s, 1m30s, 250ms or 0, as in Go, from `min` to a day.
FlagValue Duration(absl::Duration& variable, absl::Duration min);
// A number of bytes, or of KiB, MiB or GiB: 65536, 64KiB.
FlagValue Bytes(size_t& variable);
// An address to listen on: a host and a numeric port, with an IPv6 address in brackets.
FlagValue Address(std::string& variable);
// The same, or empty.
FlagValue OptionalAddress(std::string& variable);
// One of these.
FlagValue Choice(std::string& variable, std::vector<std::string> choices);

struct Flag {
  std::string name;  // without the dashes
  std::string help;  // one line
  FlagValue value;
  std::string source = "";  // what set it: "--name" or "IGPTD_NAME"; empty: the default applies
};

// The effective value of a flag.
struct Setting {
  std::string name;    // without the dashes
  std::string value;   // as one would write it
  std::string source;  // as in Flag
};

// Environment variables, by name.
using Environment = std::map<std::string, std::string>;

// Sets the flags from the arguments and variables. Returns a line for each problem, which names the flag or variable
// and the remedy.
std::vector<std::string> ParseFlags(const std::vector<std::string>& args, const Environment& environment,
                                    std::vector<Flag>& flags);

// A line for each variable IGPTD_... that is no flag's: a misspelt one would otherwise leave a default in force. Those
// of Kubernetes' Services are left out.
std::vector<std::string> UnknownVariables(const Environment& environment, const std::vector<Flag>& flags);

// One aligned line per flag, with its default.
std::string FlagsHelp(const std::vector<Flag>& flags);

}  // namespace igptd
