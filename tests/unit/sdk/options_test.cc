#include "igpt/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "igpt/error.h"

namespace igpt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Options Good() {
  Options options;
  options.api_key = "ak:key-1";
  return options;
}

// The names of the options that Validate finds wrong, each once.
std::vector<std::string> Wrong(const Options& options) {
  const absl::Status status = Validate(options);
  if (status.ok()) return {};
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const std::optional<Error> error = ErrorOf(status);
  EXPECT_EQ(error->kind, ErrorKind::kInvalidRequest);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("SECRET")));
  std::vector<std::string> fields;
  for (const FieldViolation& violation : error->violations) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(violation.field + ": " + violation.description));
    fields.push_back(violation.field);
  }
  return fields;
}

TEST(OptionsTest, TheDefaultsNeedOnlyAKey) {
  EXPECT_THAT(Wrong(Options()), ElementsAre("api_key"));
  EXPECT_THAT(Wrong(Good()), ElementsAre());
}

TEST(OptionsTest, TheDefaultsAreTheOfficialSdks) {
  const Options options;
  EXPECT_EQ(options.base_url, "https://api.igpt.ai/v1");
  EXPECT_EQ(options.max_retries, 3);
  EXPECT_EQ(options.backoff_base, absl::Milliseconds(100));
  EXPECT_EQ(options.backoff_factor, 2);
}

// An option, with values that it may and may not have.
template <typename T>
struct Values {
  T Options::*option;
  std::string name;
  std::vector<T> good;
  std::vector<T> bad;
};

template <typename T>
void ExpectValues(const Values<T>& values) {
  for (const T& good : values.good) {
    Options options = Good();
    options.*values.option = good;
    EXPECT_THAT(Wrong(options), ElementsAre()) << values.name << " " << testing::PrintToString(good);
  }
  for (const T& bad : values.bad) {
    Options options = Good();
    options.*values.option = bad;
    EXPECT_THAT(Wrong(options), ElementsAre(values.name)) << values.name << " " << testing::PrintToString(bad);
  }
}

TEST(OptionsTest, Texts) {
  const std::string nul("SECRET\0x", 8);
  ExpectValues<std::string>(
      {&Options::api_key, "api_key", {"k", "ak:~!"}, {"", " ", "SECRET\n", "SECRET \xC3\xA4", nul}});
  ExpectValues<std::string>({&Options::user,
                             "user",
                             {"", "u", "\xC3\xA4 b", std::string(1024, 'u')},
                             {"SECRET\n", "SECRET\xFF", nul, std::string(1025, 'u')}});
  ExpectValues<std::string>({&Options::base_url,
                             "base_url",
                             {"https://example.com", "http://127.0.0.1:1/v1/"},
                             {"", "example.com", "http://example.com", "https://a:SECRET@example.com"}});
  ExpectValues<std::string>({&Options::ca_file, "ca_file", {"", "/etc/a b.pem"}, {nul}});
  ExpectValues<std::string>({&Options::ca_pem, "ca_pem", {""}, {"SECRET", "-----BEGIN CERTIFICATE-----SECRET", nul}});
  ExpectValues<std::string>({&Options::ca_dir, "ca_dir", {"", "/etc", "/"}, {"SECRET", "/etc/passwd", "/:/etc", nul}});
  ExpectValues<std::string>({&Options::proxy,
                             "proxy",
                             {"", "proxy:3128", "http://proxy:3128", "http://u:p@proxy", "https://proxy",
                              "socks5://proxy", "SOCKS5H://proxy"},
                             {"SECRET proxy", "http://SECRET\n", "socks4://SECRET", "ftp://SECRET", nul}});
  ExpectValues<std::string>({&Options::proxy,
                             "proxy",
                             {"http://proxy:3128/", "[::1]:3128", "https://u:p@proxy:1/"},
                             {"foo://SECRET", "SECRET proxy:1", "http://proxy/SECRET", "proxy:3128/SECRET",
                              "http://proxy?SECRET", "socks5://proxy:1#SECRET", "http://", "://proxy", "http://proxy:0",
                              "http://proxy:65536", "http:/proxy", "http:proxy"}});
  ExpectValues<std::string>({&Options::user_agent,
                             "user_agent",
                             {"", "a", "my-service/1.0 (Linux; x86) curl/8"},
                             {" ", "SECRET ", " SECRET", "a  SECRET", "SECRET\r\nX: y", "a\tSECRET", "\xC3\xA4", nul}});
  ExpectValues<std::string>({&Options::client_name, "client_name", {"", "a/1.0"}, {"SECRET\r\nX: y", "\xC3\xA4", nul}});
}

TEST(OptionsTest, Numbers) {
  constexpr int kMax = std::numeric_limits<int>::max(), kMin = std::numeric_limits<int>::min();
  ExpectValues<int>({&Options::max_retries, "max_retries", {1, 2, kMax}, {0, -1, kMin}});
  ExpectValues<int>({&Options::max_connections, "max_connections", {0, 1, kMax}, {-1, kMin}});
  ExpectValues<int>({&Options::max_calls_in_flight, "max_calls_in_flight", {0, 1, kMax}, {-1, kMin}});
  ExpectValues<int>({&Options::backoff_factor, "backoff_factor", {2, 3, kMax}, {1, 0, -2, kMin}});
  constexpr size_t kGiB = size_t{1} << 30;
  const std::vector<size_t> good = {1, 1 << 20, kGiB}, bad = {0, kGiB + 1, std::numeric_limits<size_t>::max()};
  ExpectValues<size_t>({&Options::max_answer_bytes, "max_answer_bytes", good, bad});
  ExpectValues<size_t>({&Options::max_event_bytes, "max_event_bytes", good, bad});
}

TEST(OptionsTest, AKeyOrItsProvider) {
  Options options;
  options.api_key_provider = [] { return "k"; };
  EXPECT_THAT(Wrong(options), ElementsAre());
  options.api_key = "SECRET";
  EXPECT_THAT(Wrong(options), ElementsAre("api_key"));
}

TEST(OptionsTest, Headers) {
  using Headers = std::vector<std::pair<std::string, std::string>>;
  ExpectValues<Headers>({&Options::headers,
                         "headers",
                         {{}, {{"X-Team", "a b"}, {"x-tenant", "1"}}},
                         {{{"", "x"}},
                          {{"SECRET name", "x"}},
                          {{"X-A", ""}},
                          {{"X-A", "SECRET\r\nX: y"}},
                          {{"Authorization", "Bearer SECRET"}},
                          {{"user-agent", "SECRET"}}}});
  Options options = Good();
  options.headers = {{"X-Team", "a"}, {"X-Tenant", " "}};
  EXPECT_THAT(std::string(Validate(options).message()), HasSubstr("headers: header 2 (X-Tenant) has a value"));
}

TEST(OptionsTest, HttpBeyondLoopbackIsAskedFor) {
  Options options = Good();
  for (const char* url : {"http://igpt.internal:8080/v1", "http://10.0.0.1", "http://[2001:db8::7]/v1"}) {
    options.base_url = url;
    options.allow_http = false;
    EXPECT_THAT(Wrong(options), ElementsAre("base_url"));
    EXPECT_THAT(std::string(Validate(options).message()), HasSubstr("allow_http"));
    options.allow_http = true;
    EXPECT_THAT(Wrong(options), ElementsAre()) << url;
  }
  for (const char* url : {"ftp://igpt.internal", "http://a:SECRET@igpt.internal", "http://igpt.internal/?SECRET"}) {
    options.base_url = url;
    EXPECT_THAT(Wrong(options), ElementsAre("base_url")) << url;
  }
}

TEST(OptionsTest, Durations) {
  const absl::Duration tick = absl::Nanoseconds(1), infinite = absl::InfiniteDuration();
  ExpectValues<absl::Duration>({&Options::backoff_base,
                                "backoff_base",
                                {absl::Milliseconds(100), absl::Seconds(5)},
                                {absl::Milliseconds(100) - tick, absl::ZeroDuration(), -absl::Seconds(1), -infinite}});
  const std::vector<absl::Duration> good = {absl::Milliseconds(1), absl::Seconds(1), absl::Hours(24)};
  const std::vector<absl::Duration> bad = {absl::Milliseconds(1) - tick,
                                           absl::ZeroDuration(),
                                           -absl::Seconds(1),
                                           absl::Hours(24) + tick,
                                           infinite,
                                           -infinite};
  ExpectValues<absl::Duration>({&Options::connect_timeout, "connect_timeout", good, bad});
  ExpectValues<absl::Duration>({&Options::first_byte_timeout, "first_byte_timeout", good, bad});
  ExpectValues<absl::Duration>({&Options::idle_timeout, "idle_timeout", good, bad});
  ExpectValues<absl::Duration>({&Options::max_call_duration, "max_call_duration", good, bad});
}

TEST(OptionsTest, EveryWrongOptionIsNamed) {
  Options options;
  options.api_key = "SECRET key";
  options.user = "a\nb";
  options.base_url = "nowhere";
  options.max_retries = 0;
  options.backoff_base = absl::ZeroDuration();
  options.backoff_factor = 1;
  options.connect_timeout = options.first_byte_timeout = options.idle_timeout = absl::ZeroDuration();
  options.max_call_duration = absl::ZeroDuration();
  options.max_answer_bytes = options.max_event_bytes = 0;
  options.ca_file = std::string(1, '\0');
  options.proxy = " ";
  options.client_name = " ";
  EXPECT_THAT(Wrong(options),
              ElementsAre("api_key", "user", "base_url", "max_retries", "backoff_base", "backoff_factor",
                          "connect_timeout", "first_byte_timeout", "idle_timeout", "max_call_duration",
                          "max_answer_bytes", "max_event_bytes", "ca_file", "proxy", "client_name"));
}

TEST(ValidateApiKeyTest, SaysWhatIsWrong) {
  EXPECT_TRUE(ValidateApiKey("ak:key-1").ok());
  EXPECT_EQ(ValidateApiKey("").message(), "api_key: must be set to a key of iGPT");
  EXPECT_EQ(ValidateApiKey("SECRET\n").message(),
            "api_key: must be visible ASCII: look for a space or a line end in it");
}

}  // namespace
}  // namespace igpt
