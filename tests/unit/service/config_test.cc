#include "service/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace igptd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Args = std::vector<std::string>;
using Env = std::map<std::string, std::string>;

absl::StatusOr<Config> Parse(const Args& args, const Env& env) {
  return ParseConfig(args, [&](const char* variable) -> const char* {
    auto found = env.find(variable);
    return found == env.end() ? nullptr : found->second.c_str();
  });
}

absl::StatusOr<Config> ParseWithKey(const Args& args) {
  return Parse(args, {{"IGPT_API_KEY", "ak:test"}});
}

// The one line that is printed for it.
std::string ErrorOf(const Args& args, const Env& env) {
  absl::StatusOr<Config> config = Parse(args, env);
  if (config.ok()) return "OK";
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(config.status().message()), Not(HasSubstr("\n")));
  return std::string(config.status().message());
}
std::string ErrorWithKey(const Args& args) {
  return ErrorOf(args, {{"IGPT_API_KEY", "ak:test"}});
}

std::string VariableOf(const std::string& flag) {
  return absl::StrCat("IGPTD_", absl::AsciiStrToUpper(flag));
}

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

struct FlagCase {
  std::string name;
  std::function<std::string(const Config&)> field;
  std::string by_default;
  std::string value;
  std::string other;  // a second value, for the variable that has to lose
  std::string seen;   // what `value` is in Config
};

using O = igpt::Options;

std::vector<FlagCase> FlagCases() {
  return {
      {"listen", Field(&Config::listen), "0.0.0.0:50051", "[::1]:0", "localhost:1", "[::1]:0"},
      {"port_file", Field(&Config::port_file), "", "/run/port", "/run/other", "/run/port"},
      {"admin_listen", Field(&Config::admin_listen), "0.0.0.0:9090", "", "127.0.0.1:0", ""},
      {"tls_cert_file", Field(&Config::tls_cert_file), "", "/run/cert", "/run/other", "/run/cert"},
      {"tls_key_file", Field(&Config::tls_key_file), "", "/run/tls_key", "/run/other", "/run/tls_key"},
      {"tls_client_ca_file", Field(&Config::tls_client_ca_file), "", "/run/ca", "/run/other", "/run/ca"},
      {"callers_file", Field(&Config::callers_file), "", "/run/callers", "/run/other", "/run/callers"},
      {"igpt_base_url", Field(&O::base_url), "https://api.igpt.ai/v1", "http://127.0.0.1:8080/v1",
       "https://example.com", "http://127.0.0.1:8080/v1"},
      {"igpt_ca_file", Field(&O::ca_file), "", "/etc/ca.pem", "/etc/other.pem", "/etc/ca.pem"},
      {"igpt_proxy", Field(&O::proxy), "", "http://proxy.example.com:3128", "http://other.example.com:3128",
       "http://proxy.example.com:3128"},
      {"igpt_api_key_file", Field(&Config::igpt_api_key_file), "", "/run/key", "/run/other", "/run/key"},
      {"default_user", Field(&O::user), "", "alice", "bob", "alice"},
      {"sandbox", Field(&Config::sandbox), "false", "true", "false", "true"},
      {"sandbox_listen", Field(&Config::sandbox_listen), "127.0.0.1:0", "127.0.0.1:8081", "127.0.0.1:8082",
       "127.0.0.1:8081"},
      {"sandbox_faults", Field(&Config::sandbox_faults), "false", "true", "false", "true"},
      {"max_retries", Field(&O::max_retries), "3", "1", "7", "1"},
      {"backoff_base_ms", Field(&O::backoff_base), "100ms", "250", "500", "250ms"},
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
      {"channelz", Field(&Config::channelz), "false", "true", "false", "true"},
      {"allow_core_dumps", Field(&Config::allow_core_dumps), "false", "true", "false", "true"},
      {"check_config", Field(&Config::check_config), "false", "true", "false", "true"},
      {"help", Field(&Config::help), "false", "true", "false", "true"},
      {"version", Field(&Config::version), "false", "true", "false", "true"},
  };
}

// What has to be there for a flag to be allowed.
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
  for (std::string_view arg :
       {"--listen=127.0.0.1:65535", "--listen=localhost:0", "--listen=[::]:50051", "--listen=igptd-0.igptd:1",
        "--connect_timeout=1ms", "--max_event_bytes=2KiB", "--max_answer_bytes=16777216", "--max_retries=2147483647"}) {
    absl::StatusOr<Config> config = ParseWithKey({std::string(arg)});
    EXPECT_TRUE(config.ok()) << arg << ": " << config.status();
  }
}

TEST(ConfigTest, BadValues) {
  const std::map<std::string, std::vector<std::string>> kBad = {
      {"listen",
       {"", ":", "50051", ":50051", "localhost", "localhost:", "localhost:http", "localhost:65536", "localhost:-1",
        "::1:50051", "[::1]", "[::1:50051", "[nonsense]:1", "a b:1", "unix:/run/socket"}},
      {"igpt_base_url", {"", "api.igpt.ai", "ftp://api.igpt.ai", "http://api.igpt.ai/v1"}},
      {"sandbox_listen", {"", "localhost"}},
      {"sandbox", {"", "yes", "1", "TRUE"}},
      {"sandbox_faults", {"on"}},
      {"check_config", {"no"}},
      {"max_retries", {"", "0", "-1", "+3", " 3", "3.5", "three", "2147483648", "99999999999999999999"}},
      {"backoff_base_ms", {"", "99", "100ms"}},
      {"backoff_factor", {"", "1"}},
      {"connect_timeout", {"", "0", "-1s", "10", "inf", "-inf", "1 s", "1µ"}},
      {"first_byte_timeout", {"0s"}},
      {"idle_timeout", {"0"}},
      {"max_call_duration", {"0"}},
      {"heartbeat_interval", {"", "-1s", "inf"}},
      {"stalled_reader_timeout", {"0"}},
      {"max_answer_bytes",
       {"", "0", "0MiB", "MiB", "16MB", "16 MiB", "-1", "1.5GiB", "18446744073709551616", "17179869184GiB"}},
      {"max_event_bytes", {"0"}},
      {"drain_delay", {"-1s"}},
      {"drain_timeout", {"-1s"}},
      {"log_level", {"", "INFO", "warning"}},
      {"log_format", {"", "xml"}},
  };
  for (const auto& [name, values] : kBad) {
    for (const std::string& value : values) {
      SCOPED_TRACE(absl::StrCat(name, "=", value));
      const std::string flag = absl::StrCat("--", name);
      EXPECT_THAT(ErrorWithKey({absl::StrCat(flag, "=", value)}), StartsWith(absl::StrCat(flag, ": ")));
      const std::string variable = VariableOf(name);
      EXPECT_THAT(ErrorOf({}, {{"IGPT_API_KEY", "ak:test"}, {variable, value}}),
                  StartsWith(absl::StrCat(variable, ": ")));
    }
  }
}

TEST(ConfigTest, MessagesNameTheRemedy) {
  const std::map<std::string, std::string> kMessages = {
      {"--listen=50051", "--listen: must be a host and a port from 0 to 65535, such as 127.0.0.1:50051 or [::1]:50051"},
      {"--max_retries=x", "--max_retries: must be a whole number up to 2147483647"},
      {"--max_retries=0", "--max_retries: must be at least 1"},
      {"--backoff_base_ms=99", "--backoff_base_ms: must be at least 100ms"},
      {"--backoff_factor=1", "--backoff_factor: must be at least 2"},
      {"--max_event_bytes=0", "--max_event_bytes: must be from 1 to "},
      {"--igpt_base_url=http://example.com", "--igpt_base_url: must start with https://"},
      {"--idle_timeout=0", "--idle_timeout: must be a duration from 1ms to 24h, such as 250ms, 15s or 1m30s"},
      {"--drain_delay=1", "--drain_delay: must be a duration from 0 to 24h, such as 250ms, 15s or 1m30s"},
      {"--max_event_bytes=1M", "--max_event_bytes: must be a number of bytes, such as 65536, 64KiB or 16MiB"},
      {"--log_level=loud", "--log_level: must be one of trace, debug, info, warn, error"},
      {"--sandbox=maybe", "--sandbox: must be true or false"},
      {"--listen", "--listen: has no value; write --listen=HOST:PORT"},
      {"--no_such_thing=1", "--no_such_thing: no such flag; --help lists all flags"},
      {"--max_retry=1", "--max_retry: no such flag; did you mean --max_retries?"},
      {"--max-retries=1", "--max-retries: no such flag; did you mean --max_retries?"},
      {"--Listen=x", "--Listen: no such flag; did you mean --listen?"},
      {"--nosandbox", "--nosandbox: no such flag; did you mean --sandbox?"},
      {"listen=1", "argument 1 is no flag: flags are written --name=value"},
      {"-listen=1", "argument 1 is no flag: flags are written --name=value"},
      {"--", "argument 1 is no flag: flags are written --name=value"},
      {"--=1", "argument 1 is no flag: flags are written --name=value"},
      {"", "argument 1 is no flag: flags are written --name=value"},
      {"--two\nlines", "argument 1 is no flag: flags are written --name=value"},
      {"--" + std::string(65, 'x'), "argument 1 is no flag: flags are written --name=value"},
      {"--igpt_api_key=ak:x", "--igpt_api_key: no such flag; set the variable IGPT_API_KEY or use --igpt_api_key_file"},
      {"--igpt_api_key", "--igpt_api_key: no such flag; set the variable IGPT_API_KEY or use --igpt_api_key_file"},
  };
  for (const auto& [arg, message] : kMessages) EXPECT_THAT(ErrorWithKey({arg}), StartsWith(message));
}

TEST(ConfigTest, AFlagTwiceIsAnErrorWhateverItSays) {
  for (const Args& args : {Args{"--listen=a:1", "--listen=a:1"}, Args{"--sandbox", "--sandbox=false"},
                           Args{"--max_retries=0", "--max_retries=1"}, Args{"--listen", "--listen=a:1"}}) {
    EXPECT_THAT(ErrorOf(args, {}), HasSubstr(": given more than once; give it once")) << args[0];
  }
}

TEST(ConfigTest, EveryProblemAtOnceInOneLine) {
  EXPECT_EQ(ErrorOf({"--drain_delay=-1s", "serve", "--idel_timeout=1s"}, {{"IGPTD_LOG_LEVEL", "loud"}}),
            "--drain_delay: must be a duration from 0 to 24h, such as 250ms, 15s or 1m30s; "
            "argument 2 is no flag: flags are written --name=value; "
            "--idel_timeout: no such flag; did you mean --idle_timeout?; "
            "IGPTD_LOG_LEVEL: must be one of trace, debug, info, warn, error");
}

TEST(ConfigTest, NoMessageHoldsAValue) {
  const std::string secret = "ak:sw0rdf1sh";
  for (const Args& args :
       {Args{"--igpt_api_key=" + secret}, Args{"--igpt_api_key", secret}, Args{secret}, Args{"--listen=" + secret},
        Args{"--igpt_base_url=https://user:" + secret + "@example.com"}, Args{"--log_level=" + secret},
        Args{"--nonsense=" + secret}, Args{"--default_user=\n" + secret}, Args{"--sandbox=" + secret}}) {
    std::string error = ErrorWithKey(args);
    EXPECT_NE(error, "OK") << args[0];
    EXPECT_THAT(error, Not(HasSubstr("sw0rdf1sh")));
  }
  EXPECT_THAT(ErrorOf({}, {{"IGPT_API_KEY", secret + "\n"}}),
              AllOf(StartsWith("IGPT_API_KEY: must be visible ASCII"), Not(HasSubstr("sw0rdf1sh"))));
  EXPECT_THAT(ErrorOf({}, {{"IGPTD_IGPT_API_KEY", secret}}),
              AllOf(StartsWith("IGPTD_IGPT_API_KEY: no such flag"), Not(HasSubstr("sw0rdf1sh"))));
}

TEST(ConfigTest, AKeyOrTheSandboxIsNeeded) {
  for (const Env& env : {Env{}, Env{{"IGPT_API_KEY", ""}}}) {
    EXPECT_EQ(ErrorOf({}, env),
              "no iGPT key: set the variable IGPT_API_KEY or use --igpt_api_key_file, or start with --sandbox, which "
              "needs none");
  }
  EXPECT_THAT(ErrorOf({"--igpt_api_key_file="}, {}), StartsWith("no iGPT key"));
  EXPECT_TRUE(Parse({"--sandbox"}, {}).ok());
  EXPECT_TRUE(Parse({"--igpt_api_key_file=/run/key"}, {}).ok());
}

TEST(ConfigTest, OneKeyOnly) {
  EXPECT_EQ(ErrorOf({"--igpt_api_key_file=/run/key"}, {{"IGPT_API_KEY", "ak:test"}}),
            "IGPT_API_KEY: must not be set together with --igpt_api_key_file; remove one of them");
  EXPECT_EQ(ErrorOf({}, {{"IGPT_API_KEY", "ak:test"}, {"IGPTD_IGPT_API_KEY_FILE", "/run/key"}}),
            "IGPT_API_KEY: must not be set together with IGPTD_IGPT_API_KEY_FILE; remove one of them");
}

TEST(ConfigTest, TheSandboxTakesThePlaceOfIgpt) {
  const std::string end = ": must not be set together with --sandbox, which takes iGPT's place; remove one of them";
  EXPECT_EQ(ErrorOf({"--sandbox", "--igpt_base_url=https://api.igpt.ai/v1"}, {}), "--igpt_base_url" + end);
  EXPECT_EQ(ErrorOf({"--sandbox", "--igpt_proxy=http://proxy.example.com:3128"}, {}), "--igpt_proxy" + end);
  EXPECT_EQ(ErrorOf({"--sandbox", "--igpt_api_key_file=/run/key"}, {}), "--igpt_api_key_file" + end);
  EXPECT_EQ(ErrorOf({"--sandbox"}, {{"IGPT_API_KEY", "ak:test"}}), "IGPT_API_KEY" + end);
  EXPECT_EQ(ErrorOf({}, {{"IGPTD_SANDBOX", "true"}, {"IGPTD_IGPT_BASE_URL", "https://example.com"}}),
            "IGPTD_IGPT_BASE_URL: must not be set together with IGPTD_SANDBOX, which takes iGPT's place; remove one of "
            "them");
  EXPECT_TRUE(Parse({"--sandbox", "--igpt_proxy=", "--igpt_api_key_file="}, {{"IGPT_API_KEY", ""}}).ok());
}

TEST(ConfigTest, SandboxDetailsNeedTheSandbox) {
  EXPECT_EQ(ErrorWithKey({"--sandbox_listen=127.0.0.1:1"}),
            "--sandbox_listen: needs --sandbox; add that or remove this");
  EXPECT_EQ(ErrorWithKey({"--sandbox_faults"}), "--sandbox_faults: needs --sandbox; add that or remove this");
  EXPECT_EQ(ErrorWithKey({"--sandbox=false", "--sandbox_faults=true"}),
            "--sandbox_faults: needs --sandbox; add that or remove this");
  EXPECT_TRUE(ParseWithKey({"--sandbox_faults=false"}).ok());
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

std::string ErrorForKeyFile(const std::string& text) {
  const absl::StatusOr<std::string> key = ParseApiKeyFile("/run/key", text);
  if (key.ok()) return "OK";
  EXPECT_EQ(key.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(key.status().message()),
              AllOf(StartsWith("the key file /run/key "), Not(HasSubstr("secret"))));
  return std::string(key.status().message());
}

TEST(ParseApiKeyFileTest, TrimsOneLineEnd) {
  for (const char* content : {"ak:secret", "ak:secret\n", "ak:secret\r\n"}) {
    const absl::StatusOr<std::string> key = ParseApiKeyFile("/run/key", content);
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(*key, "ak:secret");
  }
}

TEST(ParseApiKeyFileTest, TakesUpTo4KiB) {
  EXPECT_EQ(ErrorForKeyFile(std::string(4096, 'k')), "OK");
  EXPECT_THAT(ErrorForKeyFile(std::string(4097, 'k')), HasSubstr("over 4 KiB"));
}

TEST(ParseApiKeyFileTest, RefusesWhatIsNoKey) {
  for (const char* content : {"", "\n", "\r\n"}) EXPECT_THAT(ErrorForKeyFile(content), HasSubstr("is empty"));
  for (const std::string& content :
       {std::string("ak:secret\n\n"), std::string("ak:secret\r"), std::string("ak:\tsecret"),
        std::string("ak:\0secret", 10), std::string("ak:sécret"), std::string("\nak:secret"),
        std::string("ak:secret\x7f")}) {
    EXPECT_THAT(ErrorForKeyFile(content), HasSubstr("one line of visible ASCII"));
  }
}

TEST(ConfigTest, CertificateAndKeyGoTogether) {
  EXPECT_EQ(ErrorWithKey({"--tls_cert_file=c", "--tls_key_file=k"}), "OK");
  EXPECT_EQ(ErrorWithKey({"--tls_cert_file=c", "--tls_key_file=k", "--tls_client_ca_file=a"}), "OK");
  EXPECT_THAT(ErrorWithKey({"--tls_cert_file=c"}), StartsWith("--tls_cert_file: needs --tls_key_file"));
  EXPECT_THAT(ErrorWithKey({"--tls_key_file=k"}), StartsWith("--tls_key_file: needs --tls_cert_file"));
  EXPECT_THAT(ErrorWithKey({"--tls_client_ca_file=a"}),
              StartsWith("--tls_client_ca_file: needs --tls_cert_file and --tls_key_file"));
}

}  // namespace
}  // namespace igptd
