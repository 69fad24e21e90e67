#include "service/config/trace_variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace igptd {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kEndpoint[] = "OTEL_EXPORTER_OTLP_ENDPOINT";
constexpr char kTracesEndpoint[] = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

// The options with these variables and an endpoint; fails the test if one of them can't be used.
TraceOptions With(Environment environment) {
  environment.emplace(kEndpoint, "http://collector:4318");
  std::vector<std::string> warnings;
  TraceOptions options = ParseTraceVariables(environment, warnings);
  EXPECT_THAT(warnings, IsEmpty());
  return options;
}

TEST(TraceVariablesTest, WithoutAnEndpointSpansAreOff) {
  EXPECT_EQ(With({{kEndpoint, ""}}).url, "");
  std::vector<std::string> warnings;
  // Nobody asked for spans, so nobody is told of other variables.
  EXPECT_EQ(ParseTraceVariables({{"OTEL_TRACES_SAMPLER", "x"}, {"OTEL_SERVICE_NAME", "y"}}, warnings).url, "");
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(TraceVariablesTest, TheEndpoint) {
  const struct {
    const char* variable;
    const char* value;
    const char* url;
  } cases[] = {
      {kEndpoint, "http://collector:4318", "http://collector:4318/v1/traces"},
      {kEndpoint, "https://[::1]:4318/", "https://[::1]:4318/v1/traces"},
      {kEndpoint, "https://example.com/otlp", "https://example.com/otlp/v1/traces"},
      {kTracesEndpoint, "https://example.com/mine", "https://example.com/mine"},
      {kTracesEndpoint, "http://collector:4318", "http://collector:4318/"},
  };
  for (const auto& row : cases) EXPECT_EQ(With({{row.variable, row.value}}).url, row.url);
  EXPECT_EQ(With({{kEndpoint, "http://all"}, {kTracesEndpoint, "http://traces/"}}).url, "http://traces/");
}

TEST(TraceVariablesTest, WhatTurnsSpansOff) {
  EXPECT_EQ(With({{"OTEL_SDK_DISABLED", "true"}}).url, "");
  EXPECT_EQ(With({{"OTEL_SDK_DISABLED", "TRUE"}}).url, "");
  EXPECT_NE(With({{"OTEL_SDK_DISABLED", "false"}}).url, "");
  EXPECT_EQ(With({{"OTEL_TRACES_EXPORTER", "none"}}).url, "");
  EXPECT_NE(With({{"OTEL_TRACES_EXPORTER", "otlp"}}).url, "");
}

TEST(TraceVariablesTest, HowSpansAreExported) {
  const TraceOptions defaults = With({});
  EXPECT_FALSE(defaults.json);
  EXPECT_FALSE(defaults.gzip);
  EXPECT_EQ(defaults.timeout, absl::Seconds(10));
  EXPECT_TRUE(With({{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}}).json);
  EXPECT_FALSE(
      With({{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}, {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"}})
          .json);
  EXPECT_TRUE(With({{"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"}}).gzip);
  EXPECT_TRUE(With({{"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"}}).gzip);
  EXPECT_EQ(With({{"OTEL_EXPORTER_OTLP_TIMEOUT", "250"}}).timeout, absl::Milliseconds(250));
  EXPECT_EQ(With({{"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "60000"}}).timeout, absl::Seconds(30));
  EXPECT_EQ(With({{"OTEL_BSP_EXPORT_TIMEOUT", "5000"}}).timeout, absl::Seconds(5));
}

TEST(TraceVariablesTest, TheQueue) {
  const TraceOptions options = With({{"OTEL_BSP_SCHEDULE_DELAY", "1000"},
                                     {"OTEL_BSP_MAX_QUEUE_SIZE", "100"},
                                     {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"}});
  EXPECT_EQ(options.delay, absl::Seconds(1));
  EXPECT_EQ(options.queue_size, 100U);
  EXPECT_EQ(options.batch_size, 10U);
  EXPECT_EQ(With({{"OTEL_BSP_MAX_QUEUE_SIZE", "100"}}).batch_size, 100U);
}

TEST(TraceVariablesTest, TheSampler) {
  const struct {
    const char* sampler;
    const char* argument;
    bool as_parent;
    double ratio;
  } cases[] = {
      {"", "0.5", true, 1},
      {"parentbased_always_on", "0.5", true, 1},
      {"parentbased_always_off", "", true, 0},
      {"parentbased_traceidratio", "0.25", true, 0.25},
      {"parentbased_traceidratio", "", true, 1},
      {"always_on", "", false, 1},
      {"always_off", "1", false, 0},
      {"traceidratio", "0", false, 0},
      {"TraceIdRatio", "1", false, 1},
  };
  for (const auto& row : cases) {
    const Sampling sampling =
        With({{"OTEL_TRACES_SAMPLER", row.sampler}, {"OTEL_TRACES_SAMPLER_ARG", row.argument}}).sampling;
    EXPECT_EQ(sampling.as_parent, row.as_parent) << row.sampler;
    EXPECT_EQ(sampling.ratio, row.ratio) << row.sampler << " " << row.argument;
  }
}

// As if it were not set, with a line that doesn't repeat the value.
TEST(TraceVariablesTest, WhatCantBeUsedIsAWarning) {
  const struct {
    const char* variable;
    const char* value;
    const char* warning;
  } cases[] = {
      {kEndpoint, "canary:4318", "igptd exports no spans"},
      {kEndpoint, "grpc://canary:4317", "igptd exports no spans"},
      {kEndpoint, "http:///canary", "igptd exports no spans"},
      {kTracesEndpoint, "http://canary canary", "igptd exports no spans"},
      {"OTEL_SDK_DISABLED", "canary", "takes false"},
      {"OTEL_TRACES_EXPORTER", "canary", "takes otlp"},
      {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "knows only http/protobuf, http/json; it takes http/protobuf"},
      {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "canary", "takes http/protobuf"},
      {"OTEL_EXPORTER_OTLP_COMPRESSION", "canary", "takes none"},
      {"OTEL_EXPORTER_OTLP_TIMEOUT", "canary", "takes 10000"},
      {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0", "takes 10000"},
      {"OTEL_BSP_EXPORT_TIMEOUT", "-1", "takes 30000"},
      {"OTEL_BSP_SCHEDULE_DELAY", "5s", "takes 5000"},
      {"OTEL_BSP_MAX_QUEUE_SIZE", "10000000", "takes 2048"},
      {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "from 1 to 2048; igptd takes 512"},
      {"OTEL_TRACES_SAMPLER", "canary", "takes parentbased_always_on"},
  };
  for (const auto& row : cases) {
    std::vector<std::string> warnings;
    Environment environment = {{row.variable, row.value}};
    environment.emplace(kEndpoint, "http://collector:4318");
    (void)ParseTraceVariables(environment, warnings);
    EXPECT_THAT(warnings, ElementsAre(AllOf(StartsWith(std::string(row.variable) + ": "), HasSubstr(row.warning),
                                            Not(HasSubstr("canary")))))
        << row.variable;
  }
  std::vector<std::string> warnings;
  const TraceOptions options = ParseTraceVariables(
      {{kEndpoint, "http://c"}, {"OTEL_TRACES_SAMPLER", "traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "2"}}, warnings);
  EXPECT_EQ(options.sampling.ratio, 1);
  EXPECT_THAT(warnings, ElementsAre(StartsWith("OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1")));
}

}  // namespace
}  // namespace igptd
