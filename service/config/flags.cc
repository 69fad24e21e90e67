#include "service/config/flags.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "service/config/service_variables.h"
#include "service/system/host_port.h"

namespace igptd {
namespace {

constexpr absl::Duration kMaxDuration = absl::Hours(24);
constexpr size_t kMaxNameBytes = 64;
constexpr char kVariablePrefix[] = "IGPTD_";

struct Unit {
  const char* suffix;
  uint64_t bytes;
};
constexpr Unit kUnits[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}};

// Accepts only digits: no sign, no space.
std::optional<uint64_t> ParseNumber(absl::string_view text) {
  uint64_t number = 0;
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isdigit) || !absl::SimpleAtoi(text, &number)) {
    return std::nullopt;
  }
  return number;
}

std::optional<size_t> ParseBytes(absl::string_view text) {
  uint64_t unit = 1;
  for (const Unit& candidate : kUnits) {
    if (absl::ConsumeSuffix(&text, candidate.suffix)) {
      unit = candidate.bytes;
      break;
    }
  }
  const std::optional<uint64_t> number = ParseNumber(text);
  if (!number || *number > std::numeric_limits<size_t>::max() / unit) return std::nullopt;
  return *number * unit;
}

std::string FormatBytes(size_t bytes) {
  for (const Unit& unit : kUnits) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0) return absl::StrCat(bytes / unit.bytes, unit.suffix);
  }
  return absl::StrCat(bytes);
}

// The Levenshtein distance.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);  // from a's first i letters to each prefix of b
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return row.back();
}

std::string VariableOf(const std::string& flag) {
  return absl::StrCat(kVariablePrefix, absl::AsciiStrToUpper(flag));
}

// The flag that was probably meant; null: none is like it.
const std::string* Nearest(absl::string_view name, const std::vector<Flag>& flags) {
  const std::string normal = absl::AsciiStrToLower(absl::StrReplaceAll(name, {{"-", "_"}}));
  const std::string* nearest = nullptr;
  size_t nearest_distance = normal.size() / 4 + 2;  // anything farther is a different word
  for (const Flag& flag : flags) {
    const size_t distance = EditDistance(normal, flag.name);
    if (distance >= nearest_distance) continue;
    nearest = &flag.name;
    nearest_distance = distance;
  }
  return nearest;
}

std::string UnknownFlag(const std::string& name, const std::vector<Flag>& flags) {
  const std::string* nearest = Nearest(name, flags);
  const std::string remedy = nearest ? absl::StrCat("did you mean --", *nearest, "?") : "--help lists all flags";
  return absl::StrCat("--", name, ": no such flag; ", remedy);
}

// `name` is anything that an environment can hold.
std::string UnknownVariable(const std::string& name, const std::vector<Flag>& flags) {
  const std::string shown = name.substr(0, kMaxNameBytes);
  const std::string* nearest = Nearest(shown.substr(std::size(kVariablePrefix) - 1), flags);
  const std::string remedy =
      nearest ? absl::StrCat("did you mean ", VariableOf(*nearest), "?") : "unset it; --help lists all flags";
  return absl::StrCat(absl::CHexEscape(shown), ": no such flag; ", remedy);
}

// The text between "--" and '='; empty if the argument is not a flag.
std::string NameOf(absl::string_view arg) {
  if (!absl::ConsumePrefix(&arg, "--")) return "";
  const absl::string_view name = arg.substr(0, arg.find('='));
  const auto in_name = [](char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-'; };
  const bool plain = name.size() <= kMaxNameBytes && std::all_of(name.begin(), name.end(), in_name);
  return plain ? std::string(name) : "";
}

void Set(Flag& flag, const std::string& source, const std::string& value, std::vector<std::string>& problems) {
  flag.source = source;
  const absl::Status set = flag.value.set(value);
  if (!set.ok()) problems.push_back(absl::StrCat(source, ": ", set.message()));
}

}  // namespace

FlagValue Boolean(bool& variable) {
  return {"", variable ? "true" : "false", [&variable](const std::string& value) {
            if (value != "true" && value != "false") return absl::InvalidArgumentError("must be true or false");
            variable = value == "true";
            return absl::OkStatus();
          }};
}

FlagValue Text(std::string& variable, std::string hint) {
  return {std::move(hint), variable, [&variable](const std::string& value) {
            variable = value;
            return absl::OkStatus();
          }};
}

FlagValue Integer(int& variable) {
  return {"NUMBER", absl::StrCat(variable), [&variable](const std::string& value) {
            constexpr int kMax = std::numeric_limits<int>::max();
            const std::optional<uint64_t> number = ParseNumber(value);
            if (!number || *number > kMax) {
              return absl::InvalidArgumentError(absl::StrCat("must be a whole number up to ", kMax));
            }
            variable = static_cast<int>(*number);
            return absl::OkStatus();
          }};
}

FlagValue Duration(absl::Duration& variable, absl::Duration min) {
  return {"DURATION", absl::FormatDuration(variable), [&variable, min](const std::string& value) {
            absl::Duration duration;
            if (!absl::ParseDuration(value, &duration) || duration < min || duration > kMaxDuration) {
              return absl::InvalidArgumentError(absl::StrCat("must be a duration from ", absl::FormatDuration(min),
                                                             " to ", absl::FormatDuration(kMaxDuration),
                                                             ", such as 250ms, 15s or 1m30s"));
            }
            variable = duration;
            return absl::OkStatus();
          }};
}

FlagValue Bytes(size_t& variable) {
  return {"BYTES", FormatBytes(variable), [&variable](const std::string& value) {
            const std::optional<size_t> bytes = ParseBytes(value);
            if (!bytes) return absl::InvalidArgumentError("must be a number of bytes, such as 65536, 64KiB or 16MiB");
            variable = *bytes;
            return absl::OkStatus();
          }};
}

FlagValue Address(std::string& variable) {
  return {"HOST:PORT", variable, [&variable](const std::string& value) {
            if (!ParseHostPort(value).has_value()) {
              return absl::InvalidArgumentError(
                  "must be a host and a port from 0 to 65535, such as 127.0.0.1:50051 or [::1]:50051");
            }
            variable = value;
            return absl::OkStatus();
          }};
}

FlagValue OptionalAddress(std::string& variable) {
  FlagValue address = Address(variable);
  address.set = [&variable, set = address.set](const std::string& value) {
    if (!value.empty()) return set(value);
    variable.clear();
    return absl::OkStatus();
  };
  return address;
}

FlagValue Choice(std::string& variable, std::vector<std::string> choices) {
  return {"NAME", variable, [&variable, choices = std::move(choices)](const std::string& value) {
            if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
              return absl::InvalidArgumentError(absl::StrCat("must be one of ", absl::StrJoin(choices, ", ")));
            }
            variable = value;
            return absl::OkStatus();
          }};
}

std::vector<std::string> ParseFlags(const std::vector<std::string>& args, const Environment& environment,
                                    std::vector<Flag>& flags) {
  std::vector<std::string> problems;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string name = NameOf(args[i]);
    if (name.empty()) {
      // The argument isn't shown: after a space in place of '=', it can be a secret value.
      problems.push_back(absl::StrCat("argument ", i + 1, " is not a flag; write flags as --name=value"));
      continue;
    }
    const auto flag = std::find_if(flags.begin(), flags.end(), [&](const Flag& f) { return f.name == name; });
    if (flag == flags.end()) {
      problems.push_back(UnknownFlag(name, flags));
      continue;
    }
    const std::string source = absl::StrCat("--", name);
    const bool bare = args[i] == source;
    if (!flag->source.empty()) {
      problems.push_back(absl::StrCat(source, ": given more than once; give it once"));
    } else if (bare && !flag->value.hint.empty()) {
      flag->source = source;
      problems.push_back(absl::StrCat(source, ": has no value; write ", source, "=", flag->value.hint));
    } else {
      Set(*flag, source, bare ? "true" : args[i].substr(source.size() + 1), problems);
    }
  }
  for (Flag& flag : flags) {
    if (!flag.source.empty()) continue;
    const auto variable = environment.find(VariableOf(flag.name));
    if (variable != environment.end()) Set(flag, variable->first, variable->second, problems);
  }
  return problems;
}

std::vector<std::string> UnknownVariables(const Environment& environment, const std::vector<Flag>& flags) {
  std::vector<std::string> problems;
  for (const auto& [name, value] : environment) {
    if (!absl::StartsWith(name, kVariablePrefix) || IsServiceVariable(name, value)) continue;
    const bool known =
        std::any_of(flags.begin(), flags.end(), [&](const Flag& flag) { return VariableOf(flag.name) == name; });
    if (!known) problems.push_back(UnknownVariable(name, flags));
  }
  return problems;
}

std::string FlagsHelp(const std::vector<Flag>& flags) {
  const auto syntax = [](const Flag& flag) {
    return absl::StrCat("  --", flag.name, flag.value.hint.empty() ? "" : "=", flag.value.hint);
  };
  size_t width = 0;
  for (const Flag& flag : flags) width = std::max(width, syntax(flag).size());
  std::string help;
  for (const Flag& flag : flags) {
    std::string start = syntax(flag);
    start.resize(width + 2, ' ');
    const bool has_default = !flag.value.hint.empty() && !flag.value.text.empty();
    absl::StrAppend(&help, start, flag.help, has_default ? absl::StrCat(" (default ", flag.value.text, ")") : "", "\n");
  }
  return help;
}

}  // namespace igptd
