// Answers that come as a stream of events.
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/integration/sandbox/sandbox_fixture.h"

namespace igptd::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(SandboxTest, StreamsTheLifecycle) {
  Json params = Everything();
  params["stream"] = true;
  // Compression would hold events back.
  const SandboxReply reply = Call("/recall/ask", params, {{"Accept-Encoding", "gzip, br"}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.Header("Content-Type"), "text/event-stream");
  EXPECT_EQ(reply.Header("Cache-Control"), "no-cache");
  EXPECT_EQ(reply.Header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(reply.Header("Content-Encoding"), "");
  EXPECT_EQ(reply.Header("X-Sandbox"), "igptd");
  const std::vector<Json> events = reply.events();
  ASSERT_GT(events.size(), 20u);
  std::string text;
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i]["seq"], i);
    if (events[i]["type"] == "run.output_text.delta") text += events[i]["delta"];
  }
  EXPECT_EQ(events.front()["type"], "run.start");
  EXPECT_EQ(events.front()["context"]["datasources"][0]["id"], "spike/mailbox-1/messages");
  const Json& done = events.back();
  EXPECT_EQ(done["type"], "run.done");
  EXPECT_EQ(done["id"], events.front()["id"]);
  EXPECT_EQ(done["output"], text);
  EXPECT_EQ(done["output"], Call("/recall/ask", Everything()).json()["output"]);
  EXPECT_EQ(done["metadata"]["sources"][0]["title"], "Decision: second-half budget");
  EXPECT_GT(done["duration"], 0) << "words take their time";
}

TEST_F(SandboxTest, StreamsJson) {
  Json params = Everything();
  params["stream"] = true;
  params["output_format"] = {{"schema", {{"properties", {{"title", Json::object()}, {"id", Json::object()}}}}}};
  const std::vector<Json> events = Call("/recall/run/", params).events();
  std::string text;
  for (const Json& event : events) {
    if (event["type"] == "run.output_text.delta") text += event["delta"];
  }
  EXPECT_EQ(text, R"({"title":"Decision: second-half budget","id":"m26"})");
  EXPECT_EQ(events.back()["output"], Json::parse(text));
  EXPECT_EQ(events.front()["output_format"], params["output_format"]);
}

TEST_F(SandboxTest, WritesEachEventWhenItHappens) {
  Json params = Everything();
  params["stream"] = true;
  std::string received;
  const HttpReply reply =
      HttpClient().Post(origin() + "/v1/recall/ask", {kKey}, params.dump(), [&](std::string_view piece) {
        received += piece;
        return received.find("run.output_text.delta") == received.npos;  // then goes away
      });
  EXPECT_FALSE(reply.whole);
  EXPECT_THAT(received, Not(HasSubstr("run.done")));
}

TEST_F(SandboxTest, KeepsConnectionsAlive) {
  HttpClient client;
  Json params = Everything();
  bool first = true;
  for (const bool stream : {false, true, false, true}) {
    params["stream"] = stream;
    ASSERT_TRUE(client.Post(origin() + "/v1/recall/ask", {kKey}, params.dump()).whole);
    EXPECT_EQ(client.reused_connection(), !first);
    first = false;
  }
}

TEST_F(SandboxTest, ServesManyAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([this] {
      Json params = Everything();
      params["stream"] = true;
      const std::vector<Json> events = Call("/recall/ask", params).events();
      ASSERT_FALSE(events.empty());
      EXPECT_EQ(events.back()["type"], "run.done");
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace igptd::sandbox
