// The admin server's pages, and that all health checks agree.

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/http_client.h"

namespace igpt::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;
using ::testing::StartsWith;

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

HealthCheckResponse::ServingStatus HealthOf(const Igptd& igptd, const std::string& service) {
  const std::unique_ptr<Health::Stub> stub = Health::NewStub(igptd.channel);
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service(service);
  HealthCheckResponse response;
  EXPECT_THAT(stub->Check(&context, request, &response), IsOkStatus());
  return response.status();
}

TEST(IgptdAdminTest, PagesSayHowItIs) {
  const Igptd igptd;
  const AdminAnswer alive = igptd.Get("/healthz");
  EXPECT_EQ(alive.status, 200);
  EXPECT_EQ(alive.body, "serving\n");
  const AdminAnswer ready = igptd.Get("/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.body, "ready\n");
  const AdminAnswer metrics = igptd.Get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.type, StartsWith("text/plain; version=0.0.4"));
  EXPECT_EQ(igptd.Get("/").status, 404);
  EXPECT_EQ(igptd.Post("/readyz", "").status, 404);
}

TEST(IgptdAdminTest, EmptyIsOff) {
  const Igptd igptd({"--admin_listen="});
  ASSERT_TRUE(igptd.process->AwaitStderr("serving"));
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr("admin_port")));
}

TEST(IgptdAdminTest, APortInUseIsAnErrorAndNeverShared) {
  const Igptd igptd;
  const std::string address = igptd.process->admin_address();
  const IgptdProcess::Result result =
      IgptdProcess::Run({"--sandbox", "--listen=127.0.0.1:0", "--admin_listen=" + address});
  EXPECT_THAT(result.exit_code, Optional(2));
  EXPECT_THAT(result.err, AllOf(StartsWith("igptd: --admin_listen: "), HasSubstr(address), HasSubstr("in use")));
}

TEST(IgptdAdminTest, NorIsTheSandboxsPort) {
  const Igptd igptd;
  const std::string address = igptd.process->admin_address();
  const IgptdProcess::Result result =
      IgptdProcess::Run({"--sandbox", "--listen=127.0.0.1:0", "--sandbox_listen=" + address});
  EXPECT_THAT(result.exit_code, Optional(2));
  EXPECT_THAT(result.err, AllOf(StartsWith("igptd: --sandbox_listen: "), HasSubstr(address), HasSubstr("in use")));
}

// Trouble with iGPT doesn't make igptd unready, because every other replica has the same trouble.
TEST(IgptdAdminTest, TroubleWithIgptLeavesItReady) {
  Igptd igptd({"--max_retries=1"});
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(503, ""); });
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, FailsWith(grpc::StatusCode::UNAVAILABLE, "IGPT_UNAVAILABLE"));
  }
  EXPECT_EQ(igptd.Get("/readyz").status, 200);
  EXPECT_EQ(igptd.Get("/healthz").status, 200);
  EXPECT_EQ(HealthOf(igptd, "igpt.v1.RecallService"), HealthCheckResponse::SERVING);
}

TEST(IgptdAdminTest, ADrainMakesItUnreadyEverywhereButNotDead) {
  Igptd igptd({"--drain_delay=10m"});
  EXPECT_EQ(HealthOf(igptd, ""), HealthCheckResponse::SERVING);
  EXPECT_EQ(igptd.Metrics().at("igptd_ready"), 1);
  const std::unique_ptr<Health::Stub> stub = Health::NewStub(igptd.channel);
  grpc::ClientContext watch;
  HealthCheckRequest request;
  request.set_service("igpt.v1.DatasourcesService");
  const auto watcher = stub->Watch(&watch, request);
  HealthCheckResponse told;
  ASSERT_TRUE(watcher->Read(&told));
  EXPECT_EQ(told.status(), HealthCheckResponse::SERVING);

  igptd.process->Signal(SIGTERM);
  ASSERT_TRUE(watcher->Read(&told));
  EXPECT_EQ(told.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(HealthOf(igptd, ""), HealthCheckResponse::NOT_SERVING);
  const AdminAnswer ready = igptd.Get("/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.body, "not ready: draining\n");
  EXPECT_EQ(igptd.Get("/healthz").status, 200);
  EXPECT_EQ(igptd.Metrics().at("igptd_ready"), 0);
  igptd.process->Signal(SIGTERM);
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

TEST(IgptdAdminTest, ConfigzHasEveryFlagWithItsSourceAndNoSecret) {
  Igptd igptd({"--max_retries=2", "--igpt_proxy=http://canary-name:canary-password@127.0.0.1:1"},
              {"IGPT_API_KEY=ak:canary-key", "IGPTD_DEFAULT_USER=canary-user", "IGPTD_IDLE_TIMEOUT=90s"});
  const std::string page = igptd.Get("/configz").body;
  EXPECT_THAT(page, Not(HasSubstr("canary")));
  for (const char* line :
       {"--max_retries=2  # --max_retries", "--idle_timeout=1m30s  # IGPTD_IDLE_TIMEOUT",
        "--first_byte_timeout=2m  # default", "--default_user=[redacted]  # IGPTD_DEFAULT_USER",
        "--igpt_proxy=http://[redacted]@127.0.0.1:1  # --igpt_proxy", "--igpt_api_key=[redacted]  # IGPT_API_KEY"}) {
    EXPECT_THAT(page, HasSubstr(absl::StrCat(line, "\n")));
  }
  const std::string help = IgptdProcess::Run({"--help"}).out;
  int flags = 0;
  for (size_t at = help.find("\n  --"); at != help.npos; at = help.find("\n  --", at + 1), ++flags) {
    const size_t begin = at + 3;
    EXPECT_THAT(page, HasSubstr(absl::StrCat(help.substr(begin, help.find_first_of("= ", begin) - begin), "=")));
  }
  EXPECT_GT(flags, 20);
}

TEST(IgptdAdminTest, TheLogLevelCanBeChanged) {
  const Igptd igptd;
  EXPECT_EQ(igptd.Get("/loglevel").body, "info\n");
  const AdminAnswer set = igptd.Post("/loglevel", "debug\n");
  EXPECT_EQ(set.status, 200);
  EXPECT_EQ(set.body, "debug\n");
  EXPECT_EQ(igptd.Get("/loglevel").body, "debug\n");
  EXPECT_TRUE(igptd.process->AwaitStderr("log level changed"));
  const AdminAnswer refused = igptd.Post("/loglevel", "loud");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("trace, debug, info, warn or error"));
  EXPECT_EQ(igptd.Get("/loglevel").body, "debug\n");
  EXPECT_EQ(igptd.Post("/loglevel", std::string(100'000, 'a')).status, 413);
}

TEST(IgptdAdminTest, TheProbePortTellsAndChangesNothingElse) {
  const Igptd igptd({"--probe_listen=127.0.0.1:0", "--admin_listen="});
  const std::string address = igptd.process->probe_address();
  HttpClient client;
  for (const char* path : {"/healthz", "/readyz", "/metrics"}) {
    EXPECT_EQ(client.Get(absl::StrCat("http://", address, path)).status, 200) << path;
  }
  for (const char* path : {"/configz", "/loglevel", "/"}) {
    EXPECT_EQ(client.Get(absl::StrCat("http://", address, path)).status, 404) << path;
  }
  EXPECT_EQ(client.Post(absl::StrCat("http://", address, "/loglevel"), {}, "debug").status, 404);
  const IgptdProcess::Result result =
      IgptdProcess::Run({"--sandbox", "--listen=127.0.0.1:0", "--probe_listen=" + address});
  EXPECT_THAT(result.exit_code, Optional(2));
  EXPECT_THAT(result.err, AllOf(StartsWith("igptd: --probe_listen: "), HasSubstr("in use")));
}

}  // namespace
}  // namespace igpt::testing
