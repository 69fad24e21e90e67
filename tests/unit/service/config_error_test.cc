// What ParseConfig rejects, and its messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/config/config.h"
#include "tests/unit/service/config_parsing.h"

namespace igptd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ConfigErrorTest, BadValues) {
  const std::map<std::string, std::vector<std::string>> kBad = {
      {"listen",
       {"", ":", "50051", ":50051", "localhost", "localhost:", "localhost:http", "localhost:65536", "localhost:-1",
        "::1:50051", "[::1]", "[::1:50051", "[nonsense]:1", "a b:1", "unix:/run/socket"}},
      {"igpt_base_url", {"", "api.igpt.ai", "ftp://api.igpt.ai", "http://api.igpt.ai/v1"}},
      {"igpt_http", {"", "1", "1.0", "2.0", "3", "AUTO"}},
      {"sandbox_listen", {"", "localhost"}},
      {"sandbox", {"", "yes", "1", "TRUE"}},
      {"sandbox_faults", {"on"}},
      {"check_config", {"no"}},
      {"max_retries", {"", "0", "-1", "+3", " 3", "3.5", "three", "2147483648", "99999999999999999999"}},
      {"backoff_base", {"", "99ms", "100"}},
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

TEST(ConfigErrorTest, MessagesNameTheRemedy) {
  const std::map<std::string, std::string> kMessages = {
      {"--listen=50051", "--listen: must be a host and a port from 0 to 65535, such as 127.0.0.1:50051 or [::1]:50051"},
      {"--max_retries=x", "--max_retries: must be a whole number up to 2147483647"},
      {"--max_retries=0", "--max_retries: must be at least 1"},
      {"--backoff_base=99ms", "--backoff_base: must be at least 100ms"},
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
      {"listen=1", "argument 1 is not a flag; write flags as --name=value"},
      {"-listen=1", "argument 1 is not a flag; write flags as --name=value"},
      {"--", "argument 1 is not a flag; write flags as --name=value"},
      {"--=1", "argument 1 is not a flag; write flags as --name=value"},
      {"", "argument 1 is not a flag; write flags as --name=value"},
      {"--two\nlines", "argument 1 is not a flag; write flags as --name=value"},
      {"--" + std::string(65, 'x'), "argument 1 is not a flag; write flags as --name=value"},
      {"--igpt_api_key=ak:x", "--igpt_api_key: no such flag; set the variable IGPT_API_KEY or use --igpt_api_key_file"},
      {"--igpt_api_key", "--igpt_api_key: no such flag; set the variable IGPT_API_KEY or use --igpt_api_key_file"},
  };
  for (const auto& [arg, message] : kMessages) EXPECT_THAT(ErrorWithKey({arg}), StartsWith(message));
}

TEST(ConfigErrorTest, AFlagTwiceIsAnErrorWhateverItSays) {
  for (const Args& args : {Args{"--listen=a:1", "--listen=a:1"}, Args{"--sandbox", "--sandbox=false"},
                           Args{"--max_retries=0", "--max_retries=1"}, Args{"--listen", "--listen=a:1"}}) {
    EXPECT_THAT(ErrorOf(args, {}), HasSubstr(": given more than once; give it once")) << args[0];
  }
}

TEST(ConfigErrorTest, EveryProblemAtOnceInOneLine) {
  EXPECT_EQ(ErrorOf({"--drain_delay=-1s", "serve", "--idel_timeout=1s"}, {{"IGPTD_LOG_LEVEL", "loud"}}),
            "--drain_delay: must be a duration from 0 to 24h, such as 250ms, 15s or 1m30s; "
            "argument 2 is not a flag; write flags as --name=value; "
            "--idel_timeout: no such flag; did you mean --idle_timeout?; "
            "IGPTD_LOG_LEVEL: must be one of trace, debug, info, warn, error");
}

TEST(ConfigErrorTest, NoMessageHoldsAValue) {
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

TEST(ConfigErrorTest, AKeyOrTheSandboxIsNeeded) {
  for (const Env& env : {Env{}, Env{{"IGPT_API_KEY", ""}}}) {
    EXPECT_EQ(ErrorOf({}, env),
              "no iGPT key: set the variable IGPT_API_KEY or use --igpt_api_key_file, or start with --sandbox, which "
              "needs none");
  }
  EXPECT_THAT(ErrorOf({"--igpt_api_key_file="}, {}), StartsWith("no iGPT key"));
  EXPECT_TRUE(Parse({"--sandbox"}, {}).ok());
  EXPECT_TRUE(Parse({"--igpt_api_key_file=/run/key"}, {}).ok());
}

TEST(ConfigErrorTest, OneKeyOnly) {
  EXPECT_EQ(ErrorOf({"--igpt_api_key_file=/run/key"}, {{"IGPT_API_KEY", "ak:test"}}),
            "IGPT_API_KEY: cannot be combined with --igpt_api_key_file; remove one of them");
  EXPECT_EQ(ErrorOf({}, {{"IGPT_API_KEY", "ak:test"}, {"IGPTD_IGPT_API_KEY_FILE", "/run/key"}}),
            "IGPT_API_KEY: cannot be combined with IGPTD_IGPT_API_KEY_FILE; remove one of them");
}

TEST(ConfigErrorTest, TheSandboxTakesThePlaceOfIgpt) {
  const std::string end = ": cannot be combined with --sandbox, which replaces iGPT; remove one of them";
  EXPECT_EQ(ErrorOf({"--sandbox", "--igpt_base_url=https://api.igpt.ai/v1"}, {}), "--igpt_base_url" + end);
  EXPECT_EQ(ErrorOf({"--sandbox", "--igpt_proxy=http://proxy.example.com:3128"}, {}), "--igpt_proxy" + end);
  EXPECT_EQ(ErrorOf({"--sandbox", "--igpt_api_key_file=/run/key"}, {}), "--igpt_api_key_file" + end);
  EXPECT_EQ(ErrorOf({"--sandbox"}, {{"IGPT_API_KEY", "ak:test"}}), "IGPT_API_KEY" + end);
  EXPECT_EQ(ErrorOf({}, {{"IGPTD_SANDBOX", "true"}, {"IGPTD_IGPT_BASE_URL", "https://example.com"}}),
            "IGPTD_IGPT_BASE_URL: cannot be combined with IGPTD_SANDBOX, which replaces iGPT; remove one of "
            "them");
  EXPECT_TRUE(Parse({"--sandbox", "--igpt_proxy=", "--igpt_api_key_file="}, {{"IGPT_API_KEY", ""}}).ok());
}

// Either because of libcurl, or because HTTP/2 needs TLS.
TEST(ConfigErrorTest, Http2AloneNeedsTls) {
  for (const Args& args :
       {Args{"--sandbox"}, Args{"--igpt_base_url=http://127.0.0.1/v1", "--igpt_api_key_file=/key"}}) {
    Args with_http2 = args;
    with_http2.emplace_back("--igpt_http=2");
    EXPECT_THAT(ErrorOf(with_http2, {}), StartsWith("--igpt_http: must be auto or 1.1"));
  }
}

TEST(ConfigErrorTest, SandboxDetailsNeedTheSandbox) {
  EXPECT_EQ(ErrorWithKey({"--sandbox_listen=127.0.0.1:1"}), "--sandbox_listen: needs --sandbox; set both or neither");
  EXPECT_EQ(ErrorWithKey({"--sandbox_faults"}), "--sandbox_faults: needs --sandbox; set both or neither");
  EXPECT_EQ(ErrorWithKey({"--sandbox=false", "--sandbox_faults=true"}),
            "--sandbox_faults: needs --sandbox; set both or neither");
  EXPECT_TRUE(ParseWithKey({"--sandbox_faults=false"}).ok());
}

TEST(ConfigErrorTest, WithoutACallersFileOnlyThisMachineMayConnect) {
  const std::string error =
      "no callers file: anyone who can reach --listen could read every user's mail; say who may call with "
      "--callers_file, or allow everyone with --allow_any_caller, or listen on a loopback address, such as "
      "127.0.0.1:50051";
  for (const char* address : {"0.0.0.0:50051", "[::]:50051", "10.0.0.1:0", "[fe80::1]:1", "[::ffff:10.0.0.1]:1",
                              "igptd.example.com:1", "localhost.example.com:1", "127.0.0.1.example.com:1"}) {
    const std::string listen = absl::StrCat("--listen=", address);
    EXPECT_EQ(ErrorWithKey({listen}), error) << address;
    EXPECT_EQ(ErrorWithKey({listen, "--callers_file="}), error) << address;
    EXPECT_EQ(ErrorWithKey({listen, "--allow_any_caller=false"}), error) << address;
    EXPECT_EQ(ErrorWithKey({listen, "--tls_cert_file=c", "--tls_key_file=k", "--tls_client_ca_file=a"}), error);
    EXPECT_EQ(ErrorWithKey({listen, "--allow_any_caller"}), "OK") << address;
    EXPECT_EQ(ErrorWithKey({listen, "--callers_file=/run/callers"}), "OK") << address;
    EXPECT_EQ(ErrorOf({listen, "--sandbox"}, {}), "OK") << address;
  }
  for (const char* address :
       {"127.0.0.1:0", "127.1.2.3:50051", "[::1]:50051", "[::ffff:127.0.0.1]:1", "localhost:1", "LOCALHOST:1"}) {
    EXPECT_EQ(ErrorWithKey({absl::StrCat("--listen=", address)}), "OK") << address;
  }
  EXPECT_EQ(ParseConfig({}, {{"IGPT_API_KEY", "ak:test"}}).status().message(), error);  // as it is by default
  EXPECT_EQ(ErrorWithKey({"--allow_any_caller", "--callers_file=/run/callers"}),
            "--allow_any_caller: cannot be combined with --callers_file, which says who may call; remove one of them");
}

TEST(ConfigErrorTest, OnePortIsForOneListener) {
  const struct {
    Args args;
    std::string error;
  } kCases[] = {
      {{"--listen=127.0.0.1:9090"}, "--admin_listen: has the port of --listen; choose another"},
      {{"--listen=localhost:9090"}, "--admin_listen: has the port of --listen; choose another"},
      {{"--listen=[::ffff:127.0.0.1]:9090"}, "--admin_listen: has the port of --listen; choose another"},
      {{"--probe_listen=0.0.0.0:9090"}, "--probe_listen: has the port of --admin_listen; choose another"},
      {{"--probe_listen=[::]:50051"}, "--probe_listen: has the port of --listen; choose another"},
      {{"--admin_listen=127.0.0.1:1", "--probe_listen=127.0.0.1:1"},
       "--probe_listen: has the port of --admin_listen; choose another"},
      {{"--admin_listen=", "--probe_listen=127.0.0.1:9090"}, "OK"},
      {{"--admin_listen=127.0.0.2:50051"}, "OK"},
      {{"--admin_listen=[::1]:50051"}, "OK"},
      {{"--listen=127.0.0.1:0", "--admin_listen=127.0.0.1:0", "--probe_listen=127.0.0.1:0"}, "OK"},
  };
  for (const auto& test : kCases) EXPECT_EQ(ErrorWithKey(test.args), test.error) << test.args.front();
  EXPECT_EQ(ErrorOf({"--sandbox", "--sandbox_listen=127.0.0.1:50051"}, {}),
            "--sandbox_listen: has the port of --listen; choose another");
}

TEST(ConfigErrorTest, AVariableThatIsNoFlagsIsAnError) {
  const Env kMessages = {
      {"IGPTD_MAX_RETRY", "IGPTD_MAX_RETRY: no such flag; did you mean IGPTD_MAX_RETRIES?"},
      {"IGPTD_CALLER_FILE", "IGPTD_CALLER_FILE: no such flag; did you mean IGPTD_CALLERS_FILE?"},
      {"IGPTD_log_level", "IGPTD_log_level: no such flag; did you mean IGPTD_LOG_LEVEL?"},
      {"IGPTD_SOMETHING_ELSE", "IGPTD_SOMETHING_ELSE: no such flag; unset it; --help lists all flags"},
      {"IGPTD_", "IGPTD_: no such flag; unset it; --help lists all flags"},
      {"IGPTD_A\n\xFF", "IGPTD_A\\n\\xff: no such flag; unset it; --help lists all flags"},
      {"IGPTD_PORT", "IGPTD_PORT: no such flag; "},
  };
  for (const auto& [variable, message] : kMessages) {
    for (const char* value : {"", "canary"}) {
      const std::string error = ErrorOf({}, {{"IGPT_API_KEY", "ak:test"}, {variable, value}});
      EXPECT_THAT(error, AllOf(StartsWith(message), Not(HasSubstr("canary"))));
    }
  }
  EXPECT_LT(ErrorOf({"--sandbox"}, {{"IGPTD_" + std::string(100'000, 'x'), ""}}).size(), 200U);
  EXPECT_EQ(ErrorOf({"--sandbox"}, {{"IGPT_OTHER", "x"}, {"igptd_other", "x"}, {"IGPTD", "x"}}), "OK");
  EXPECT_TRUE(Parse({"--help"}, {{"IGPTD_NONSENSE", "x"}}).ok());
}

TEST(ConfigErrorTest, CertificateAndKeyGoTogether) {
  EXPECT_EQ(ErrorWithKey({"--tls_cert_file=c", "--tls_key_file=k"}), "OK");
  EXPECT_EQ(ErrorWithKey({"--tls_cert_file=c", "--tls_key_file=k", "--tls_client_ca_file=a"}), "OK");
  EXPECT_THAT(ErrorWithKey({"--tls_cert_file=c"}), StartsWith("--tls_cert_file: needs --tls_key_file"));
  EXPECT_THAT(ErrorWithKey({"--tls_key_file=k"}), StartsWith("--tls_key_file: needs --tls_cert_file"));
  EXPECT_THAT(ErrorWithKey({"--tls_client_ca_file=a"}),
              StartsWith("--tls_client_ca_file: needs --tls_cert_file and --tls_key_file"));
}

}  // namespace
}  // namespace igptd
