// The log of a real igptd: its level, and its lines whatever callers send.
#include <csignal>
#include <string>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::Optional;
using ::testing::SizeIs;

void AnswersYes(Exchange& exchange) {
  exchange.Answer(200, R"({"output":"Yes."})");
}

void AskOnce(Igptd& igptd, const std::string& request_id) {
  const Stream stream = igptd.Ask(AskFor("ada", "Is it so?"), [&](grpc::ClientContext& context) {
    context.AddMetadata("x-request-id", request_id);
  });
  EXPECT_THAT(stream.status, IsOkStatus());
}

// The level at the start hides the lines of calls, debug shows them.
TEST(IgptdLogTest, ASighupShowsDebugLinesAndTheNextHidesThem) {
  Igptd igptd({"--log_level=error"});
  igptd.upstream.OnRequest(AnswersYes);
  igptd.process->Signal(SIGHUP);
  ASSERT_TRUE(igptd.process->AwaitStderr(R"("from":"error","to":"debug")"));
  AskOnce(igptd, "shown");
  ASSERT_TRUE(igptd.process->AwaitStderr("shown"));  // written after the caller has its answer
  igptd.process->Signal(SIGHUP);
  ASSERT_TRUE(igptd.process->AwaitStderr(R"("from":"debug","to":"error")"));
  AskOnce(igptd, "hidden");
  igptd.Stop();
  ASSERT_THAT(igptd.CallLines(), SizeIs(1)) << igptd.process->Stderr();
  EXPECT_EQ(igptd.CallLines()[0]["request_id"], "shown");
  EXPECT_EQ(igptd.CallLines()[0]["level"], "info");
}

// Not a second signal that would cut the drain short.
TEST(IgptdLogTest, ASighupDoesNotEndADrain) {
  Event may_end;
  Igptd igptd({"--drain_timeout=5m"});
  igptd.upstream.OnNextRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.WaitFor(may_end);
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  });
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "Is it so?"));
  igpt::v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));
  igptd.process->Signal(SIGTERM);
  ASSERT_TRUE(igptd.process->AwaitStderr("draining"));
  igptd.process->Signal(SIGHUP);
  ASSERT_TRUE(igptd.process->AwaitStderr(R"("to":"debug")"));
  igptd.process->Signal(SIGHUP);
  ASSERT_TRUE(igptd.process->AwaitStderr(R"("to":"info")"));
  may_end.Set();
  EXPECT_THAT(ReadAll(context, *reader).status, IsOkStatus());
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

}  // namespace
}  // namespace igpt::testing
