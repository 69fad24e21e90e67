// The command line and the environment of igptd.
//
// Input: lines. Those that start with IGPT are environment variables, the others arguments. \x1F stands for a line feed
// in a value.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fuzz/input.h"
#include "fuzz/require.h"
#include "igpt/options.h"
#include "service/config/config.h"
#include "service/config/flags.h"

namespace igptd {
namespace {

using igpt_fuzz::Require;
using igpt_fuzz::RequireEqual;

// How error messages begin.
constexpr const char* kSources[] = {
    "--", "IGPTD_", "IGPT_API_KEY: ", "argument ", "no iGPT key: ", "no callers file: "};

struct Start {
  std::vector<std::string> args;
  std::map<std::string, std::string> environment;
};

Start TakeStart(igpt_fuzz::Input& input) {
  Start start;
  while (!input.rest().empty()) {
    std::string line(input.TakeLine());
    std::replace(line.begin(), line.end(), '\x1F', '\n');
    line = line.substr(0, line.find('\0'));
    const size_t equals = line.find('=');
    if (line.starts_with("IGPT") && equals != line.npos) {
      start.environment.emplace(line.substr(0, equals), line.substr(equals + 1));
    } else {
      start.args.push_back(line);
    }
  }
  return start;
}

absl::StatusOr<Config> Parse(const Start& start) {
  return ParseConfig(start.args, start.environment);
}

void CheckRefusal(const absl::Status& refusal) {
  Require(refusal.code() == absl::StatusCode::kInvalidArgument, "a bad configuration is INVALID_ARGUMENT");
  const std::string message(refusal.message());
  Require(igpt_fuzz::IsUtf8(message) && std::none_of(message.begin(), message.end(), absl::ascii_iscntrl),
          "a refusal is one line");
  const bool names = std::any_of(std::begin(kSources), std::end(kSources),
                                 [&message](const char* source) { return message.starts_with(source); });
  Require(names, "an error names the flag or variable");
}

// No message shows a value: each value gets an added word that no name can contain, and no message may contain it.
void CheckSecrecy(Start start) {
  constexpr char kSecret[] = "~s3cr3t~";
  for (std::string& arg : start.args) arg += arg.find('=') == arg.npos ? "" : kSecret;
  for (auto& [variable, value] : start.environment) value += kSecret;
  for (const std::string& separate :
       {absl::StrCat("-", kSecret), std::string(kSecret), absl::StrCat("--x ", kSecret)}) {
    start.args.push_back(separate);
  }
  const absl::StatusOr<Config> config = Parse(start);
  if (!config.ok()) Require(!absl::StrContains(config.status().message(), kSecret), "an error shows no value");
}

// The text that --help shows for each flag is also how to set it.
void CheckTexts(Config config) {
  Config copy;
  std::vector<Flag> copies = Flags(copy);
  const std::vector<Flag> flags = Flags(config);
  for (size_t i = 0; i < flags.size(); ++i) {
    Require(copies[i].value.set(flags[i].value.text).ok(), "a flag's value can be written as it is shown");
  }
  const std::vector<Flag> again = Flags(copy);
  for (size_t i = 0; i < flags.size(); ++i) {
    RequireEqual(again[i].value.text, flags[i].value.text, "and means the same");
  }
}

void Test(igpt_fuzz::Input input) {
  static const bool kDefaultsChecked = [] {
    CheckTexts(Config());
    return true;
  }();
  static_cast<void>(kDefaultsChecked);

  const Start start = TakeStart(input);
  const absl::StatusOr<Config> config = Parse(start);
  CheckSecrecy(start);
  if (!config.ok()) return CheckRefusal(config.status());
  if (config->help || config->version) return;
  CheckTexts(*config);
  igpt::Options options = config->client;
  if (options.api_key.empty()) options.api_key = "from-a-file";
  Require(igpt::Validate(options).ok(), "the client accepts what passed");
}

}  // namespace
}  // namespace igptd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  igptd::Test({data, size});
  return 0;
}
