// The log of a real igptd: its level, and the lines of calls.
#include <csignal>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

using ::testing::Optional;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

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

// For calls that succeed and for calls that fail.
TEST(IgptdLogTest, ALineSaysHowOftenIgptWasAsked) {
  Igptd igptd;
  const auto fail = [](Exchange& exchange) { exchange.Answer(503, ""); };
  for (int i = 0; i < 2; ++i) igptd.upstream.OnNextRequest(fail);
  igptd.upstream.OnNextRequest(AnswersYes);
  AskOnce(igptd, "third");
  igptd.upstream.OnNextRequest(AnswersYes);
  AskOnce(igptd, "first");
  igptd.upstream.OnRequest(fail);
  const auto with_id = [](std::string id) {
    return [id = std::move(id)](grpc::ClientContext& context) { context.AddMetadata("x-request-id", id); };
  };
  igpt::v1::ListRequest list;
  list.set_user("ada");
  EXPECT_EQ(igptd.List(list, with_id("never")).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(igptd.List({}, with_id("refused")).status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  igptd.Stop();
  std::map<std::string, int> attempts;
  for (const nlohmann::json& call : igptd.CallLines()) attempts[call["request_id"]] = call.value("attempts", -1);
  EXPECT_THAT(attempts, UnorderedElementsAre(Pair("third", 3), Pair("first", 1), Pair("never", 3), Pair("refused", 0)));
}

// Not a second signal that would cut the drain short.
TEST(IgptdLogTest, ASighupDoesNotEndADrain) {
  Event may_end;
  Igptd igptd({"--drain_timeout=5m"});
  igptd.upstream.OnNextRequest(RunUntil(may_end));
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

// The hash of the user in the one call of an igptd with this key.
std::string UserHash(const std::string& api_key, const std::vector<std::string>& flags) {
  Igptd igptd(flags, {"IGPT_API_KEY=" + api_key});
  igptd.upstream.OnRequest(AnswersYes);
  AskOnce(igptd, "once");
  igptd.Stop();
  return igptd.CallLines().at(0)["user"];
}

TEST(IgptdLogTest, UsersHaveTheSameHashInAllReplicasWithTheSameSecret) {
  const ScratchDirectory directory;
  const std::vector<std::string> secret = {"--user_hash_key_file=" + directory.Write("a", std::string(32, 'a'))};
  const std::vector<std::string> other = {"--user_hash_key_file=" + directory.Write("b", std::string(32, 'b'))};
  EXPECT_EQ(UserHash("ak:old", secret), UserHash("ak:new", secret));
  EXPECT_NE(UserHash("ak:old", secret), UserHash("ak:old", other));
  EXPECT_EQ(UserHash("ak:old", {}), UserHash("ak:old", {}));
  EXPECT_NE(UserHash("ak:old", {}), UserHash("ak:new", {}));
}

}  // namespace
}  // namespace igpt::testing
