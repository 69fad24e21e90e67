// Answers with the faults that their requests ask for.
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/integration/sandbox/sandbox_fixture.h"

namespace igptd::sandbox {
namespace {

using ::testing::StartsWith;

class SandboxFaultsTest : public SandboxTest {
 protected:
  SandboxFaultsTest() : SandboxTest(true) {}

  // With nothing connected the answer is short.
  static Json Params(bool stream) { return {{"user", "eve"}, {"input", "budget"}, {"stream", stream}}; }

  SandboxReply Ask(const std::string& fault, bool stream = false, const std::string& request_id = "") const {
    return Call("/recall/ask", Params(stream), {{"x-sandbox-fault", fault}, {"x-request-id", request_id}});
  }

  // An answer up to where the connection ends, properly or not.
  SandboxReply AskUntilTheEnd(const std::string& fault, bool stream, const HttpClient::OnBody& on_body = {}) const {
    const HttpHeaders headers = {kKey, {"x-sandbox-fault", fault}};
    return {HttpClient().Post(origin() + "/v1/recall/ask", headers, Params(stream).dump(), on_body)};
  }
};

TEST_F(SandboxTest, IgnoresFaultsUnlessToldOtherwise) {
  EXPECT_EQ(Call("/recall/ask", Everything(), {{"x-sandbox-fault", "status=503"}}).status, 200);
  EXPECT_EQ(Call("/recall/ask", Everything(), {{"x-sandbox-fault", "no such fault"}}).status, 200);
}

TEST_F(SandboxFaultsTest, NamesAnUnknownFault) {
  const SandboxReply reply = Ask("cut=1; explode");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.json(), (Json{{"error", "unknown fault: explode"}}));
}

TEST_F(SandboxFaultsTest, AnswersOtherThanTheApi) {
  const SandboxReply status = Ask("delay=1ms; status=429; retry-after=2");
  EXPECT_EQ(status.status, 429);
  EXPECT_EQ(status.Header("Retry-After"), "2");
  EXPECT_EQ(status.Header("X-Sandbox"), "igptd");
  EXPECT_EQ(Ask("status=302").Header("Location"), "/elsewhere");
  EXPECT_EQ(Ask("status=204").body, "");
  EXPECT_EQ(Ask("status=204").status, 204);
  const SandboxReply html = Ask("html");
  EXPECT_EQ(html.status, 200);
  EXPECT_THAT(html.Header("Content-Type"), StartsWith("text/html"));
  const SandboxReply empty = Ask("empty", true);
  EXPECT_EQ(empty.status, 200);
  EXPECT_EQ(empty.body, "");
  EXPECT_EQ(Ask("error=quota", true).json(), (Json{{"error", "quota"}}));
  EXPECT_EQ(Ask("error=quota; after=3").json(), (Json{{"error", "quota"}}))
      << "a whole answer has no events to come first";
}

TEST_F(SandboxFaultsTest, FailsAsOftenAsAsked) {
  EXPECT_EQ(Ask("status=503; times=2", false, "a").status, 503);
  EXPECT_EQ(Ask("status=503; times=2", false, "b").status, 503);
  EXPECT_EQ(Ask("status=503; times=2", false, "a").status, 503);
  EXPECT_EQ(Ask("status=503; times=2", false, "a").status, 200);
  EXPECT_EQ(Ask("status=503; times=2", false, "b").status, 503);
}

TEST_F(SandboxFaultsTest, BreaksStreams) {
  const size_t all = Ask("", true).events().size();
  const std::vector<Json> malformed = Ask("malformed=2", true).events();
  ASSERT_EQ(malformed.size(), all);
  EXPECT_FALSE(malformed[1].is_discarded());
  EXPECT_TRUE(malformed[2].is_discarded());
  EXPECT_FALSE(malformed[3].is_discarded());
  const std::vector<Json> utf8 = Ask("utf8=0", true).events();
  EXPECT_TRUE(utf8[0].is_discarded());
  const std::vector<Json> error = Ask("error=quota; after=2", true).events();
  ASSERT_EQ(error.size(), 3u);
  EXPECT_EQ(error[2], (Json{{"error", "quota"}}));
  const std::vector<Json> noend = Ask("noend", true).events();
  EXPECT_EQ(noend.size(), all - 1);
  const SandboxReply huge = Ask("huge=2097152", true);
  EXPECT_EQ(huge.body.find("\n\n"), 2097152 + std::string_view("data: ").size());
}

TEST_F(SandboxFaultsTest, BreaksWholeAnswers) {
  EXPECT_TRUE(Ask("malformed=0").json().is_discarded());
  EXPECT_TRUE(Ask("utf8=0").json().is_discarded());
  const SandboxReply huge = Ask("huge=100000");
  EXPECT_EQ(huge.body.size(), 100000u);
  EXPECT_FALSE(huge.json().is_discarded());
}

TEST_F(SandboxFaultsTest, CutsConnections) {
  const SandboxReply stream = AskUntilTheEnd("cut=2", true);
  EXPECT_FALSE(stream.whole);
  EXPECT_EQ(stream.events().size(), 2u);
  const SandboxReply nothing = AskUntilTheEnd("cut=0", true);
  EXPECT_EQ(nothing.body, "");
  EXPECT_FALSE(nothing.whole);
  const SandboxReply answer = AskUntilTheEnd("cut=0", false);
  EXPECT_FALSE(answer.whole);
  EXPECT_FALSE(answer.body.empty());
  EXPECT_TRUE(answer.json().is_discarded());
}

TEST_F(SandboxFaultsTest, SplitsBodies) {
  size_t pieces = 0;
  const SandboxReply stream = AskUntilTheEnd("split=3; noend", true, [&](std::string_view) { return ++pieces > 0; });
  EXPECT_TRUE(stream.whole);
  EXPECT_GE(pieces, stream.body.size() / 3);
  EXPECT_GT(stream.events().size(), 10u);
  EXPECT_FALSE(Ask("split=1").json().is_discarded());
}

// A stalled stream and a stalled answer end when the sandbox does, although nobody else ends them.
TEST_F(SandboxFaultsTest, StopsAtOnce) {
  std::vector<std::thread> clients;
  std::vector<std::promise<void>> receiving(2);
  for (const bool stream : {true, false}) {
    clients.emplace_back([&, stream] {
      const HttpHeaders headers = {kKey, {"x-sandbox-fault", "stall=1"}};
      const auto on_head = [&] { receiving[stream ? 1 : 0].set_value(); };
      EXPECT_FALSE(HttpClient().Post(origin() + "/v1/recall/ask", headers, Params(stream).dump(), {}, on_head).whole);
    });
  }
  HttpClient idle;
  ASSERT_TRUE(idle.Get(origin() + "/").whole);
  for (std::promise<void>& received : receiving) received.get_future().wait();
  sandbox_.reset();
  for (std::thread& client : clients) client.join();
}

}  // namespace
}  // namespace igptd::sandbox
