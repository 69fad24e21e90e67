#include "service/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/unit/service/config_parsing.h"

namespace igptd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Show(const std::string& text) {
  return text;
}
std::string Show(bool truth) {
  return truth ? "true" : "false";
}
std::string Show(int number) {
  return absl::StrCat(number);
}
std::string Show(size_t number) {
  return absl::StrCat(number);
}
std::string Show(absl::Duration duration) {
  return absl::FormatDuration(duration);
}

template <typename T>
std::function<std::string(const Config&)> Field(T Config::*member) {
  return [member](const Config& config) { return Show(config.*member); };
}
template <typename T>
std::function<std::string(const Config&)> Field(T igpt::Options::*member) {
  return [member](const Config& config) { return Show(config.client.*member); };
}
template <typename T>
std::function<std::string(const Config&)> Field(T AdmissionOptions::*member) {
  return [member](const Config& config) { return Show(config.admission.*member); };
}

std::string HttpOf(const Config& config) {
  switch (config.client.http_version) {
    case igpt::HttpVersion::kAuto:
      return "auto";
    case igpt::HttpVersion::k1_1:
      return "1.1";
    case igpt::HttpVersion::k2:
      return "2";
  }
  return "";
}

struct FlagCase {
  std::string name;
  std::function<std::string(const Config&)> field;
  std::string by_default;
  std::string value;
  std::string other;  // another value, for the variable that the flag must override
  std::string seen;   // `value` as Config shows it
};

using O = igpt::Options;

std::vector<FlagCase> FlagCases() {
  return {
      {"listen", Field(&Config::listen), kLoopback, "[::1]:0", "localhost:1", "[::1]:0"},
      {"port_file", Field(&Config::port_file), "", "/run/port", "/run/other", "/run/port"},
      {"admin_listen", Field(&Config::admin_listen), "127.0.0.1:9090", "", "127.0.0.1:0", ""},
      {"probe_listen", Field(&Config::probe_listen), "", "0.0.0.0:9091", "127.0.0.1:0", "0.0.0.0:9091"},
      {"tls_cert_file", Field(&Config::tls_cert_file), "", "/run/cert", "/run/other", "/run/cert"},
      {"tls_key_file", Field(&Config::tls_key_file), "", "/run/tls_key", "/run/other", "/run/tls_key"},
      {"tls_client_ca_file", Field(&Config::tls_client_ca_file), "", "/run/ca", "/run/other", "/run/ca"},
      {"callers_file", Field(&Config::callers_file), "", "/run/callers", "/run/other", "/run/callers"},
      {"allow_any_caller", Field(&Config::allow_any_caller), "false", "true", "false", "true"},
      {"igpt_base_url", Field(&O::base_url), "https://api.igpt.ai/v1", "http://127.0.0.1:8080/v1",
       "https://example.com", "http://127.0.0.1:8080/v1"},
      {"igpt_ca_file", Field(&O::ca_file), "", "/etc/ca.pem", "/etc/other.pem", "/etc/ca.pem"},
      {"igpt_proxy", Field(&O::proxy), "", "http://proxy.example.com:3128", "http://other.example.com:3128",
       "http://proxy.example.com:3128"},
      {"igpt_http", HttpOf, "auto", "1.1", "auto", "1.1"},
      {"igpt_api_key_file", Field(&Config::igpt_api_key_file), "", "/run/key", "/run/other", "/run/key"},
      {"default_user", Field(&O::user), "", "alice", "bob", "alice"},
      {"sandbox", Field(&Config::sandbox), "false", "true", "false", "true"},
      {"sandbox_listen", Field(&Config::sandbox_listen), "127.0.0.1:0", "127.0.0.1:8081", "127.0.0.1:8082",
       "127.0.0.1:8081"},
      {"sandbox_faults", Field(&Config::sandbox_faults), "false", "true", "false", "true"},
      {"max_retries", Field(&O::max_retries), "3", "1", "7", "1"},
      {"backoff_base", Field(&O::backoff_base), "100ms", "250ms", "500ms", "250ms"},
      {"backoff_factor", Field(&O::backoff_factor), "2", "3", "4", "3"},
      {"connect_timeout", Field(&O::connect_timeout), "10s", "3s", "4s", "3s"},
      {"first_byte_timeout", Field(&O::first_byte_timeout), "2m", "1m30s", "4s", "1m30s"},
      {"idle_timeout", Field(&O::idle_timeout), "2m", "250ms", "4s", "250ms"},
      {"max_call_duration", Field(&O::max_call_duration), "15m", "1h", "4s", "1h"},
      {"heartbeat_interval", Field(&Config::heartbeat_interval), "15s", "0", "4s", "0"},
      {"stalled_reader_timeout", Field(&Config::stalled_reader_timeout), "5m", "3s", "4s", "3s"},
      {"max_answer_bytes", Field(&O::max_answer_bytes), "16777216", "1GiB", "2MiB", "1073741824"},
      {"max_event_bytes", Field(&O::max_event_bytes), "1048576", "64KiB", "1MiB", "65536"},
      {"max_in_flight", Field(&AdmissionOptions::max_in_flight), "20000", "7", "8", "7"},
      {"max_in_flight_per_caller", Field(&AdmissionOptions::max_in_flight_per_caller), "0", "7", "8", "7"},
      {"drain_delay", Field(&Config::drain_delay), "5s", "0", "4s", "0"},
      {"drain_timeout", Field(&Config::drain_timeout), "30s", "0s", "4s", "0"},
      {"log_level", Field(&Config::log_level), "info", "trace", "warn", "trace"},
      {"log_format", Field(&Config::log_format), "auto", "json", "text", "json"},
      {"user_hash_key_file", Field(&Config::user_hash_key_file), "", "/run/a", "/run/b", "/run/a"},
      {"channelz", Field(&Config::channelz), "false", "true", "false", "true"},
      {"allow_core_dumps", Field(&Config::allow_core_dumps), "false", "true", "false", "true"},
      {"check_config", Field(&Config::check_config), "false", "true", "false", "true"},
      {"help", Field(&Config::help), "false", "true", "false", "true"},
      {"version", Field(&Config::version), "false", "true", "false", "true"},
  };
}

// The other flags that a flag needs.
Args Companions(const std::string& flag) {
  if (flag == "sandbox" || flag == "igpt_api_key_file") return {};
  if (absl::StartsWith(flag, "sandbox_")) return {"--sandbox"};
  Args companions = {"--igpt_api_key_file=/run/key"};
  if (absl::StartsWith(flag, "tls_") && flag != "tls_cert_file") companions.emplace_back("--tls_cert_file=/run/cert");
  if (absl::StartsWith(flag, "tls_") && flag != "tls_key_file") companions.emplace_back("--tls_key_file=/run/tls_key");
  return companions;
}

TEST(ConfigTest, EveryFlagHasACase) {
  Config config;
  std::vector<std::string> flags, cases;
  for (const Flag& flag : Flags(config)) flags.emplace_back(flag.name);
  for (const FlagCase& c : FlagCases()) cases.push_back(c.name);
  EXPECT_EQ(flags, cases);
}

TEST(ConfigTest, Defaults) {
  absl::StatusOr<Config> config = ParseWithKey({});
  ASSERT_TRUE(config.ok()) << config.status();
  for (const FlagCase& c : FlagCases()) EXPECT_EQ(c.field(*config), c.by_default) << c.name;
  EXPECT_EQ(config->client.api_key, "ak:test");
  EXPECT_THAT(config->client.client_name, StartsWith("igptd/"));
}

TEST(ConfigTest, FlagsAndVariablesSetOneFieldEach) {
  for (const FlagCase& c : FlagCases()) {
    SCOPED_TRACE(c.name);
    Args args = Companions(c.name);
    absl::StatusOr<Config> by_variable = Parse(args, {{VariableOf(c.name), c.value}});
    args.push_back(absl::StrCat("--", c.name, "=", c.value));
    absl::StatusOr<Config> by_flag = Parse(args, {});
    absl::StatusOr<Config> by_both = Parse(args, {{VariableOf(c.name), c.other}});
    for (const auto& config : {by_variable, by_flag, by_both}) {
      ASSERT_TRUE(config.ok()) << config.status();
      EXPECT_EQ(c.field(*config), c.seen);
    }
    for (const FlagCase& other : FlagCases()) {
      const bool given = std::any_of(args.begin(), args.end(), [&](const std::string& arg) {
        return absl::StartsWith(absl::StrCat(arg, "="), absl::StrCat("--", other.name, "="));
      });
      if (!given) {
        EXPECT_EQ(other.field(*by_flag), other.by_default) << other.name;
      }
    }
  }
}

TEST(ConfigTest, AFlagHidesWhatIsWrongWithItsVariable) {
  absl::StatusOr<Config> config =
      Parse({"--max_retries=5"}, {{"IGPT_API_KEY", "ak:test"}, {"IGPTD_MAX_RETRIES", "many"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->client.max_retries, 5);
}

TEST(ConfigTest, BareBooleans) {
  absl::StatusOr<Config> config = Parse({"--sandbox", "--sandbox_faults=false", "--check_config"}, {});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->sandbox);
  EXPECT_FALSE(config->sandbox_faults);
  EXPECT_TRUE(config->check_config);
}

TEST(ConfigTest, ValuesMayHoldEqualsSignsAndBeEmpty) {
  absl::StatusOr<Config> config = ParseWithKey({"--port_file=/run/a=b", "--default_user="});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->port_file, "/run/a=b");
  EXPECT_EQ(config->client.user, "");
}

TEST(ConfigTest, GoodValues) {
  for (std::string_view arg : {"--listen=127.0.0.1:65535", "--listen=localhost:0", "--probe_listen=[::]:9091",
                               "--admin_listen=igptd-0.igptd:1", "--connect_timeout=1ms", "--max_event_bytes=2KiB",
                               "--max_answer_bytes=16777216", "--max_retries=2147483647"}) {
    absl::StatusOr<Config> config = ParseWithKey({std::string(arg)});
    EXPECT_TRUE(config.ok()) << arg << ": " << config.status();
  }
}

TEST(ConfigTest, HelpAndVersionNeedNothingElse) {
  for (const Args& args : {Args{"--help"}, Args{"--help", "--max_retries=0", "nonsense"}}) {
    absl::StatusOr<Config> config = Parse(args, {});
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_TRUE(config->help);
  }
  absl::StatusOr<Config> config = Parse({"--version"}, {});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->version);
}

TEST(ConfigTest, HelpListsEveryFlagAlignedWithItsDefault) {
  const std::vector<std::string> lines = absl::StrSplit(HelpText(), '\n');
  std::set<size_t> columns;
  Config config;
  for (const Flag& flag : Flags(config)) {
    const std::string hint(flag.value.hint);
    const std::string start = absl::StrCat("  --", flag.name, hint.empty() ? "" : "=", hint, " ");
    auto line = std::find_if(lines.begin(), lines.end(), [&](auto& l) { return absl::StartsWith(l, start); });
    ASSERT_NE(line, lines.end()) << flag.name;
    EXPECT_LE(line->size(), 120u) << *line;
    EXPECT_FALSE(flag.help.empty()) << flag.name;
    columns.insert(line->find(flag.help));
    if (!hint.empty() && !flag.value.text.empty()) {
      EXPECT_THAT(*line, HasSubstr(absl::StrCat("(default ", flag.value.text, ")")));
    }
  }
  EXPECT_EQ(columns.size(), 1u);
  EXPECT_THAT(HelpText(), AllOf(HasSubstr("IGPTD_LOG_LEVEL"), HasSubstr("IGPT_API_KEY"), HasSubstr("(default 16MiB)"),
                                HasSubstr("(default 15m)"), HasSubstr("(default 0.0.0.0:50051)"),
                                Not(HasSubstr("--igpt_api_key "))));
}

TEST(ConfigTest, EveryDefaultIsAValueOfItsFlag) {
  Config config;
  for (Flag& flag : Flags(config)) {
    EXPECT_TRUE(flag.value.set(flag.value.text).ok()) << flag.name << "=" << flag.value.text;
  }
}

TEST(ConfigTest, TheTableShowsWhatAConfigHolds) {
  absl::StatusOr<Config> config = ParseWithKey({"--max_event_bytes=3000", "--idle_timeout=90s"});
  ASSERT_TRUE(config.ok()) << config.status();
  std::map<std::string, std::string> shown;
  for (const Flag& flag : Flags(*config)) {
    shown[flag.name] = flag.value.text;
  }
  EXPECT_EQ(shown["max_event_bytes"], "3000");
  EXPECT_EQ(shown["idle_timeout"], "1m30s");
}

}  // namespace
}  // namespace igptd
