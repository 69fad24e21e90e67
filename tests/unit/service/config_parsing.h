// Parses a configuration from a test's own arguments and variables.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "service/config/config.h"

namespace igptd {

using Args = std::vector<std::string>;
using Env = Environment;

// Listens on a loopback address unless the test says otherwise, so that it needs no callers.
constexpr char kLoopback[] = "127.0.0.1:50051";
inline absl::StatusOr<Config> Parse(const Args& args, Env env) {
  env.emplace("IGPTD_LISTEN", kLoopback);
  return ParseConfig(args, env);
}

inline absl::StatusOr<Config> ParseWithKey(const Args& args) {
  return Parse(args, {{"IGPT_API_KEY", "ak:test"}});
}

// The line that igptd prints for it.
inline std::string ErrorOf(const Args& args, const Env& env) {
  absl::StatusOr<Config> config = Parse(args, env);
  if (config.ok()) return "OK";
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(config.status().message()), ::testing::Not(::testing::HasSubstr("\n")));
  return std::string(config.status().message());
}
inline std::string ErrorWithKey(const Args& args) {
  return ErrorOf(args, {{"IGPT_API_KEY", "ak:test"}});
}

inline std::string VariableOf(const std::string& flag) {
  return absl::StrCat("IGPTD_", absl::AsciiStrToUpper(flag));
}

}  // namespace igptd
