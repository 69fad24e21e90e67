#include "service/standard/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/system/host_port.h"

namespace igptd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

absl::StatusOr<HealthProbe> Parse(const std::vector<std::string>& args, const Environment& env = {}) {
  return ParseHealthProbe(args, env);
}

TEST(HealthProbeTest, AsksWhatListensThere) {
  EXPECT_EQ(ReachableAddress("0.0.0.0:50051"), "127.0.0.1:50051");
  EXPECT_EQ(ReachableAddress("[::]:50051"), "[::1]:50051");
  for (const char* address : {"127.0.0.1:1", "[::1]:2", "10.0.0.0:3", "igptd.example:4"}) {
    EXPECT_EQ(ReachableAddress(address), address);
  }
}

TEST(HealthProbeTest, TakesItsDefaultsFromIgptdsVariables) {
  absl::StatusOr<HealthProbe> probe = Parse({});
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_EQ(probe->address, "127.0.0.1:50051");
  EXPECT_EQ(probe->service, "");
  EXPECT_EQ(probe->tls_cert_file, "");

  // Kubernetes too sets variables that begin with IGPTD_.
  const Environment env = {{"IGPTD_LISTEN", "0.0.0.0:1234"},   {"IGPTD_TLS_CERT_FILE", "/c"},
                           {"IGPTD_TLS_KEY_FILE", "/k"},       {"IGPTD_MAX_RETRIES", "1"},
                           {"IGPTD_SERVICE_HOST", "10.0.0.1"}, {"IGPTD_PORT", "tcp://10.0.0.1:50051"}};
  probe = Parse({}, env);
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_EQ(probe->address, "127.0.0.1:1234");
  EXPECT_EQ(probe->service, "");
  EXPECT_EQ(probe->tls_cert_file, "/c");
  EXPECT_EQ(probe->tls_key_file, "/k");

  probe = Parse({"--address=[::1]:9", "--service=a.B", "--timeout=250ms", "--tls_cert_file=", "--tls_key_file="}, env);
  ASSERT_TRUE(probe.ok()) << probe.status();
  EXPECT_EQ(probe->address, "[::1]:9");
  EXPECT_EQ(probe->service, "a.B");
  EXPECT_EQ(probe->timeout, absl::Milliseconds(250));
  EXPECT_EQ(probe->tls_cert_file, "");
}

TEST(HealthProbeTest, SaysWhatIsWrong) {
  const struct {
    std::vector<std::string> args;
    Environment env;
    const char* named;
  } kCases[] = {
      {{"--address=nowhere"}, {}, "--address"},           {{"--address=127.0.0.1:0"}, {}, "--address"},
      {{}, {{"IGPTD_LISTEN", "0.0.0.0:0"}}, "--address"}, {{"--timeout=0"}, {}, "--timeout"},
      {{"--tls_cert_file=/c"}, {}, "--tls_key_file"},     {{"--tls_key_file=/k"}, {}, "--tls_cert_file"},
      {{"--no_such_flag"}, {}, "--no_such_flag"},         {{"extra"}, {}, "argument 1"},
      {{}, {{"IGPTD_TIMEOUT", "1s"}}, "IGPTD_TIMEOUT"},
  };
  for (const auto& [args, env, named] : kCases) {
    const absl::StatusOr<HealthProbe> probe = Parse(args, env);
    EXPECT_EQ(probe.status().code(), absl::StatusCode::kInvalidArgument) << named;
    EXPECT_THAT(std::string(probe.status().message()), HasSubstr(named));
  }
  EXPECT_THAT(std::string(Parse({"--timeout=x", "--address=x"}).status().message()),
              AllOf(HasSubstr("--timeout"), HasSubstr("--address")));
}

}  // namespace
}  // namespace igptd
