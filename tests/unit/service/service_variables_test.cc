#include "service/config/service_variables.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "service/config/config.h"
#include "tests/unit/service/config_parsing.h"

namespace igptd {
namespace {

// As the kubelet makes them for a Service with the ports grpc (50051) and admin-http (9090).
TEST(ServiceVariablesTest, ThoseOfKubernetesAreKnown) {
  const std::map<std::string, std::string> kKubernetes = {
      {"IGPTD_SERVICE_HOST", "10.96.0.12"},
      {"IGPTD_SERVICE_PORT", "50051"},
      {"IGPTD_SERVICE_PORT_GRPC", "50051"},
      {"IGPTD_SERVICE_PORT_ADMIN_HTTP", "9090"},
      {"IGPTD_PORT", "tcp://10.96.0.12:50051"},
      {"IGPTD_PORT_50051_TCP", "tcp://10.96.0.12:50051"},
      {"IGPTD_PORT_50051_TCP_PROTO", "tcp"},
      {"IGPTD_PORT_50051_TCP_PORT", "50051"},
      {"IGPTD_PORT_50051_TCP_ADDR", "10.96.0.12"},
      {"IGPTD_PORT_53_UDP", "udp://[fd00::12]:53"},
      {"IGPTD_PORT_53_UDP_ADDR", "fd00::12"},
      {"IGPTD_PORT_9_SCTP_PROTO", "sctp"},
      {"IGPTD_ADMIN_SERVICE_HOST", "10.96.0.13"},
      {"IGPTD_ADMIN_SERVICE_PORT", "9090"},
      {"IGPTD_ADMIN_PORT", "tcp://10.96.0.13:9090"},
      {"IGPTD_HEADLESS_PORT_50051_TCP_ADDR", "10.96.0.14"},
      {"IGPTD_TEAM_7_CANARY_SERVICE_PORT_HTTP", "80"},
  };
  for (const auto& [name, value] : kKubernetes) {
    EXPECT_TRUE(IsServiceVariable(name, value)) << name;
    EXPECT_EQ(ErrorOf({"--sandbox"}, {{name, value}}), "OK");
  }
}

TEST(ServiceVariablesTest, OthersAreNot) {
  const std::map<std::string, std::string> kOthers = {
      {"IGPTD_SERVICE", "x"},
      {"IGPTD_PORT", "50051"},
      {"IGPTD_LISTEN_PORT", "50051"},
      {"IGPTD_ADMIN_PORT", ""},
      {"IGPTD_PORT_TCP", "tcp://10.96.0.12:50051"},
      {"IGPTD_PORT_50051", "tcp://10.96.0.12:50051"},
      {"IGPTD_PORT_50051_TCP_NAME", "grpc"},
      {"IGPTD_PORT_50051_HTTP", "tcp://10.96.0.12:50051"},
      {"IGPTD_SERVICE_HOSTS", "10.96.0.12"},
      {"IGPTDX_SERVICE_HOST", "10.96.0.12"},
      {"igptd_service_host", "10.96.0.12"},
      {"IGPTD_SERVICE_PORT_", "50051"},
      {"IGPTD_SERVICE_HOST\n", "10.96.0.12"},
  };
  for (const auto& [name, value] : kOthers) EXPECT_FALSE(IsServiceVariable(name, value)) << name;
}

TEST(ServiceVariablesTest, NoFlagHasTheNameOfOne) {
  Config config;
  for (const Flag& flag : Flags(config)) {
    EXPECT_FALSE(IsServiceVariable(VariableOf(flag.name), "tcp://10.96.0.12:50051")) << flag.name;
  }
}

}  // namespace
}  // namespace igptd
