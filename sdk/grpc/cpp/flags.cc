#include "flags.h"

#include <getopt.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "terminal/wrap.h"

namespace {

std::string WithDefault(const std::string& help, const std::string& value) {
  return value.empty() ? help : absl::StrCat(help, " (", value, ")");
}

}  // namespace

void Flags::AddSwitch(const std::string& name, const std::string& help, bool* target) {
  const auto set = [target](const char*) { return *target = true, absl::OkStatus(); };
  flags_.push_back({name, "", help, set});
}

void Flags::AddText(const std::string& name, const std::string& value, const std::string& help, std::string* target) {
  const auto set = [target](const char* text) { return *target = text, absl::OkStatus(); };
  flags_.push_back({name, value, WithDefault(help, *target), set});
}

void Flags::AddNumber(const std::string& name, const std::string& value, const std::string& help, int32_t* target) {
  const std::string wrong = absl::StrCat("--", name, " must be a whole number");
  const auto set = [=](const char* text) {
    return absl::SimpleAtoi(text, target) ? absl::OkStatus() : absl::InvalidArgumentError(wrong);
  };
  flags_.push_back({name, value, help, set});
}

void Flags::AddDuration(const std::string& name, const std::string& value, const std::string& help,
                        absl::Duration* target) {
  const std::string wrong = absl::StrCat("--", name, " must be a duration such as 90s or 5m");
  const auto set = [=](const char* text) {
    const bool good = absl::ParseDuration(text, target) && *target > absl::ZeroDuration();
    return good ? absl::OkStatus() : absl::InvalidArgumentError(wrong);
  };
  flags_.push_back({name, value, WithDefault(help, absl::FormatDuration(*target)), set});
}

absl::StatusOr<std::vector<std::string>> Flags::Parse(const std::vector<std::string>& arguments) const {
  std::vector<option> options;
  options.reserve(flags_.size() + 1);
  for (const Flag& flag : flags_) {
    options.push_back({flag.name.c_str(), flag.value.empty() ? no_argument : required_argument, nullptr, 0});
  }
  options.push_back({});
  std::vector<char*> argv;  // getopt changes their order, not their text
  argv.reserve(arguments.size());
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  const int argc = static_cast<int>(argv.size());

  optind = 0;  // begins anew
  int index = 0;
  for (int result; (result = getopt_long(argc, argv.data(), ":", options.data(), &index)) != -1;) {
    // A short flag, of which there are none, may be one of several letters.
    const std::string given =
        optopt == 0 ? argv[optind - 1] : absl::StrCat("-", std::string(1, static_cast<char>(optopt)));
    if (result == ':') return absl::InvalidArgumentError(absl::StrCat(given, " needs a value"));
    if (result == '?') return absl::InvalidArgumentError(absl::StrCat("cannot understand ", given));
    if (absl::Status set = flags_[index].set(optarg); !set.ok()) return set;
  }
  return std::vector<std::string>(argv.begin() + optind, argv.end());
}

std::string Flags::Help(int width) const {
  const auto usage = [](const Flag& flag) {
    return absl::StrCat("  --", flag.name, flag.value.empty() ? "" : "=", flag.value, "  ");
  };
  size_t column = 0;
  for (const Flag& flag : flags_) column = std::max(column, usage(flag).size());
  std::string help;
  for (const Flag& flag : flags_) {
    std::string line = usage(flag);
    line.resize(column, ' ');
    help += Wrapped(line + flag.help, width, std::string(column, ' ')) + "\n";
  }
  return help;
}
