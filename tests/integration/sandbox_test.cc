// The sandbox over HTTP, as its clients see it.
#include "service/sandbox/sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "service/sandbox/json.h"

namespace igptd::sandbox {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// The reply to one call.
struct Reply {
  int status = 0;  // 0: no whole answer came
  std::string body;
  httplib::Headers headers;

  Json json() const { return Json::parse(body, nullptr, /*allow_exceptions=*/false); }

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }

  // The JSON of the stream's whole events; one that isn't JSON is "discarded".
  std::vector<Json> events() const {
    std::vector<Json> events;
    std::string_view rest = body;
    for (size_t end; (end = rest.find("\n\n")) != rest.npos; rest.remove_prefix(end + 2)) {
      EXPECT_TRUE(rest.starts_with("data: "));
      events.push_back(Json::parse(rest.substr(6, end - 6), nullptr, false));
    }
    return events;
  }
};

class SandboxTest : public ::testing::Test {
 protected:
  explicit SandboxTest(bool faults = false) {
    auto started = Sandbox::Start({"127.0.0.1:0", faults});
    if (started.ok()) sandbox_ = *std::move(started);
  }

  void SetUp() override { ASSERT_NE(sandbox_, nullptr); }

  std::string origin() const { return sandbox_->base_url().substr(0, sandbox_->base_url().size() - 3); }

  // Sends `body` to a path under /v1 with the right key.
  Reply Call(const std::string& path, const Json& body, httplib::Headers headers = {}) const {
    headers.emplace("Authorization", "Bearer ak:sandbox");
    return Post("/v1" + path, body.dump(), headers);
  }

  Reply Post(const std::string& path, const std::string& body, const httplib::Headers& headers) const {
    httplib::Client client(origin());
    client.set_read_timeout(60);
    Reply reply;
    const httplib::Result result = client.Post(path, headers, body, "application/json");
    if (!result) return reply;
    return {result->status, result->body, result->headers};
  }

  Reply Get(const std::string& url) const {
    httplib::Client client(origin());
    const httplib::Result result = client.Get(url.substr(origin().size()));
    if (!result) return {};
    return {result->status, result->body, result->headers};
  }

  void Connect(const std::string& user) const {
    const Json authorized =
        Call("/connectors/authorize", {{"user", user}, {"service", "spike"}, {"scope", "messages"}}).json();
    ASSERT_EQ(Get(authorized["url"].get<std::string>()).status, 200);
  }

  std::unique_ptr<Sandbox> sandbox_;
};

constexpr const char* kCalls[] = {
    "/recall/ask",          "/recall/run", "/recall/search", "/datasources/list", "/datasources/disconnect",
    "/connectors/authorize"};

// Parameters that suit every call.
Json Everything() {
  return {{"user", "demo"},
          {"input", "What did we decide about the budget?"},
          {"id", "spike/x/y"},
          {"service", "spike"},
          {"scope", "messages"}};
}

TEST_F(SandboxTest, TakesEveryPathWithAndWithoutSlash) {
  for (const std::string path : kCalls) {
    const Reply without = Call(path, Everything());
    const Reply with = Call(path + "/", Everything());
    EXPECT_EQ(without.status, path == "/datasources/disconnect" ? 404 : 200) << path;
    EXPECT_EQ(with.status, without.status) << path;
    EXPECT_TRUE(with.json().is_object()) << path;
    EXPECT_EQ(with.header("Content-Type"), "application/json");
    EXPECT_EQ(with.header("X-Sandbox"), "igptd");
  }
}

TEST_F(SandboxTest, EverythingElseIsNotFound) {
  const httplib::Headers key = {{"Authorization", "Bearer ak:sandbox"}};
  for (const char* path :
       {"/", "/v1", "/recall/ask/", "/v1/recall", "/v1/recall/ask//", "/v1/recall/askx", "/v2/recall/ask",
        "/v1/recall/ASK", "/connect/", "/connect/0123456789ABCDEF0123456789ABCDEF"}) {
    const Reply reply = Post(path, Everything().dump(), key);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(reply.json(), (Json{{"error", "not_found"}})) << path;
    EXPECT_EQ(reply.header("X-Sandbox"), "igptd");
  }
  EXPECT_EQ(Get(origin() + "/v1/recall/ask").json(), (Json{{"error", "not_found"}}));
}

TEST_F(SandboxTest, RefusesEveryOtherKey) {
  for (const char* authorization : {"", "Bearer", "Bearer ", "Bearer ak:other", "Bearer ak:sandbox2", "ak:sandbox",
                                    "Basic ak:sandbox", "Bearer  ak:sandbox"}) {
    for (const std::string path : kCalls) {
      const Reply reply = Post("/v1" + path, Everything().dump(), {{"Authorization", authorization}});
      EXPECT_EQ(reply.status, 200);
      EXPECT_EQ(reply.json(), (Json{{"error", "auth"}})) << authorization << path;
    }
  }
  EXPECT_EQ(Post("/v1/recall/ask", "{", {}).json(), (Json{{"error", "auth"}})) << "the key comes first";
}

TEST_F(SandboxTest, RefusesMissingAndMalformedParameters) {
  struct Bad {
    const char* path;
    const char* body;
  };
  std::vector<Bad> bad = {
      {"/recall/ask", R"({"user": "demo"})"},
      {"/recall/ask", R"({"input": "x"})"},
      {"/recall/ask", R"({"user": "", "input": "x"})"},
      {"/recall/ask", R"({"user": null, "input": "x"})"},
      {"/recall/ask", R"({"user": "demo", "input": 1})"},
      {"/recall/ask", R"({"user": "demo", "input": "x", "stream": "yes"})"},
      {"/recall/ask", R"({"user": "demo", "input": "x", "quality": 1})"},
      {"/recall/ask", R"({"user": "demo", "input": "x", "output_format": "xml"})"},
      {"/recall/ask", R"({"user": "demo", "input": "x", "output_format": {}})"},
      {"/recall/ask", R"({"user": "demo", "input": "x", "output_format": {"schema": "x"}})"},
      {"/recall/run", R"({"user": "demo", "input": "x", "reasoning_effort": true})"},
      {"/recall/run", R"({"user": "demo", "input": "x", "instructions": []})"},
      {"/recall/search", R"({"query": "x"})"},
      {"/recall/search", R"({"user": "demo", "query": 1})"},
      {"/recall/search", R"({"user": "demo", "date_from": "2026-02-30"})"},
      {"/recall/search", R"({"user": "demo", "date_from": "2026-2-1"})"},
      {"/recall/search", R"({"user": "demo", "date_to": "2026-02-01T00:00:00Z"})"},
      {"/recall/search", R"({"user": "demo", "date_from": "2026-02-02", "date_to": "2026-02-01"})"},
      {"/recall/search", R"({"user": "demo", "max_results": 0})"},
      {"/recall/search", R"({"user": "demo", "max_results": -1})"},
      {"/recall/search", R"({"user": "demo", "max_results": 1.5})"},
      {"/recall/search", R"({"user": "demo", "max_results": 1e300})"},
      {"/recall/search", R"({"user": "demo", "max_results": "5"})"},
      {"/recall/search", R"({"user": "demo", "filter_people": ["Emma"]})"},
      {"/datasources/list", R"({})"},
      {"/datasources/disconnect", R"({"user": "demo"})"},
      {"/datasources/disconnect", R"({"id": "spike/mailbox-1/messages"})"},
      {"/connectors/authorize", R"({"user": "u", "service": "spike"})"},
      {"/connectors/authorize", R"({"user": "u", "scope": "messages"})"},
      {"/connectors/authorize", R"({"service": "spike", "scope": "messages"})"},
      {"/connectors/authorize", R"({"user": "u", "service": "spike", "scope": "  "})"},
      {"/connectors/authorize", R"({"user": "u", "service": "sp ike", "scope": "messages"})"},
      {"/connectors/authorize", R"({"user": "u", "service": "spike", "scope": "m\u0000"})"},
      {"/connectors/authorize", R"({"user": "u", "service": "spike", "scope": "m", "redirect_uri": "ftp://x"})"},
      {"/connectors/authorize",
       R"({"user": "u", "service": "spike", "scope": "m", "redirect_uri": "http://x\r\ny: z"})"},
  };
  const std::string deep =
      R"({"user": "demo", "input": "x", "x": )" + std::string(100, '[') + std::string(100, ']') + "}";
  for (const char* path : kCalls) {
    for (const char* body : {"", "{", "[]", "null", "\"x\"", "{} {}", "{\"user\": \"\xFF\"}", deep.c_str()}) {
      bad.push_back({path, body});
    }
  }
  for (const Bad& request : bad) {
    const Reply reply = Post(std::string("/v1") + request.path, request.body, {{"Authorization", "Bearer ak:sandbox"}});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.json(), (Json{{"error", "params"}})) << request.path << request.body;
  }
}

TEST_F(SandboxTest, AnswersOutOfTheMailbox) {
  const Json answer = Call("/recall/ask/", Everything()).json();
  EXPECT_THAT(answer["output"].get<std::string>(),
              StartsWith("Sandbox answer from a built-in mailbox. On 11 June 2026 "));
  EXPECT_THAT(answer["output"].get<std::string>(), HasSubstr("approve the second-half budget at 412,000 euros"));
  EXPECT_GT(answer["usage"]["total_tokens"], 0);
  EXPECT_EQ(answer["metadata"]["sources"][0]["title"], "Decision: second-half budget");
  EXPECT_EQ(answer["duration"], answer["timestamp"].get<int64_t>() - answer["timestampStart"].get<int64_t>());
  EXPECT_NE(Call("/recall/ask/", Everything()).json()["id"], answer["id"]);
}

TEST_F(SandboxTest, AnswersInJson) {
  Json params = Everything();
  params["output_format"] = "json";
  const Json output = Call("/recall/run", params).json()["output"];
  EXPECT_THAT(output["answer"].get<std::string>(), StartsWith("On 11 June 2026 "));
  EXPECT_EQ(output["sources"][0]["id"], "mailbox-1/m26");

  params["output_format"] = Json::parse(R"({"type": "json_schema", "name": "n", "strict": true, "schema":
      {"type": "object", "properties": {"title": {"type": "string"}, "owner": {"type": "string"}}}})");
  EXPECT_EQ(Call("/recall/run", params).json()["output"],
            (Json{{"title", "Decision: second-half budget"}, {"owner", "Elena Petrova"}}));
}

TEST_F(SandboxTest, Searches) {
  const Json found = Call("/recall/search", {{"user", "demo"},
                                             {"query", "budget allocation"},
                                             {"date_from", "2026-06-01"},
                                             {"date_to", "2026-06-30"},
                                             {"filter_people", "Emma"},
                                             {"max_results", 1}})
                         .json();
  EXPECT_EQ(found, Json::parse(R"({"results": [{"id": "mailbox-1/m28",
      "subject": "Final budget allocation for July to December",
      "content": "The final budget allocation is attached: 195,000 euros for hiring, 115,000 for engineering, 64,000 for marketing and 38,000 for hosting. Purchases over 2,000 euros need my approval from 1 July.",
      "from": "Emma Clarke <emma@example.com>",
      "to": ["Elena Petrova <elena@example.com>", "Maya Lindqvist <maya@example.com>", "Tom Okafor <tom@example.com>",
             "Aiko Tanaka <aiko@example.com>", "Jonas Weber <jonas@example.com>"],
      "date": "2026-06-19T08:20:00Z", "thread_id": "mailbox-1/t-budget-h2",
      "attachments": ["budget-h2-final.xlsx"]}]})"));
  EXPECT_THAT(Call("/recall/search", {{"user", "demo"}}).json()["results"], SizeIs(20));
  EXPECT_EQ(Call("/recall/search", {{"user", "demo"}, {"query", "giraffe"}}).json(),
            (Json{{"results", Json::array()}}));
  // The official Python SDK sends missing parameters like this.
  EXPECT_THAT(
      Call("/recall/search", {{"user", "demo"}, {"query", nullptr}, {"max_results", nullptr}}).json()["results"],
      SizeIs(20));
}

TEST_F(SandboxTest, ConnectsIndexesAndDisconnects) {
  const Json user = {{"user", "ann"}};
  EXPECT_EQ(Call("/datasources/list", user).json(), (Json{{"datasources", Json::array()}}));
  const Json authorized =
      Call("/connectors/authorize", {{"user", "ann"}, {"service", "spike"}, {"scope", "messages files"}}).json();
  const std::string url = authorized["url"];
  EXPECT_THAT(url, MatchesRegex("http://127.0.0.1:[0-9]+/connect/[0-9A-F]{32}"));

  httplib::Client browser(origin());
  EXPECT_EQ(browser.Head(url.substr(origin().size()))->status, 404) << "only looking connects nothing";
  EXPECT_EQ(Call("/datasources/list", user).json()["datasources"], Json::array());

  const Reply page = Get(url);
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.header("Content-Type"), StartsWith("text/html"));
  EXPECT_THAT(page.header("Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_EQ(page.header("X-Sandbox"), "igptd");
  EXPECT_THAT(page.body, HasSubstr("connected"));
  const Reply again = Get(url);
  EXPECT_EQ(again.status, 404);
  EXPECT_THAT(again.header("Content-Type"), StartsWith("text/html"));

  const Json first = Call("/datasources/list", user).json()["datasources"];
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(first[0]["status"], "indexing");
  EXPECT_EQ(first[0]["progress"], 40);
  const Json second = Call("/datasources/list", user).json()["datasources"];
  EXPECT_EQ(second[0]["status"], "enabled");
  EXPECT_EQ(second[0]["progress"], 100);
  EXPECT_THAT(Call("/recall/search", user).json()["results"], Not(IsEmpty()));

  for (const Json& datasource : second) {
    const Reply gone = Call("/datasources/disconnect/", {{"user", "ann"}, {"id", datasource["id"]}});
    EXPECT_EQ(gone.status, 200);
    EXPECT_EQ(gone.json(), (Json{{"disconnected", true}}));
  }
  const Reply unknown = Call("/datasources/disconnect", {{"user", "ann"}, {"id", second[0]["id"]}});
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.json(), (Json{{"error", "not_found"}}));
  EXPECT_EQ(Call("/recall/search", user).json()["results"], Json::array());
  EXPECT_THAT(Call("/recall/ask", {{"user", "ann"}, {"input", "budget"}}).json()["output"].get<std::string>(),
              HasSubstr("Nothing is connected"));
}

TEST_F(SandboxTest, RedirectsWithTheState) {
  const auto authorize = [&](const Json& more) {
    Json params = {{"user", "<i>"}, {"service", "spike"}, {"scope", "messages"}};
    params.update(more);
    return Call("/connectors/authorize", params).json()["url"].get<std::string>();
  };
  const Reply back = Get(authorize({{"redirect_uri", "https://app.example/cb?x=1#f"}, {"state", "a&b =ü"}}));
  EXPECT_EQ(back.status, 302);
  // Some versions of httplib's client decode the URL.
  EXPECT_THAT(back.header("Location"), AnyOf("https://app.example/cb?x=1&state=a%26b%20%3D%C3%BC#f",
                                             "https://app.example/cb?x=1&state=a&b =ü#f"));
  EXPECT_EQ(Get(authorize({{"redirect_uri", "http://localhost:1/cb"}})).header("Location"), "http://localhost:1/cb");
  const Reply page = Get(authorize({{"state", "unused"}}));
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("&lt;i&gt;"));
}

TEST_F(SandboxTest, UsersSeeTheirOwnOnly) {
  Connect("ann");
  Connect("bob");
  const auto ids = [&](const std::string& user) {
    std::vector<std::string> found;
    const Json answer = Call("/recall/search", {{"user", user}, {"max_results", 2}}).json();
    for (const Json& result : answer["results"]) found.push_back(result["id"]);
    return found;
  };
  EXPECT_THAT(ids("ann"), ElementsAre("mailbox-2/m41", "mailbox-2/m40"));
  EXPECT_THAT(ids("bob"), ElementsAre("mailbox-3/m41", "mailbox-3/m40"));
  EXPECT_THAT(ids("eve"), IsEmpty());
  const Json anns = Call("/datasources/list", {{"user", "ann"}}).json()["datasources"][0]["id"];
  EXPECT_EQ(Call("/datasources/disconnect", {{"user", "bob"}, {"id", anns}}).status, 404);
  EXPECT_EQ(Call("/datasources/disconnect", {{"user", "ann"}, {"id", anns}}).status, 200);
  EXPECT_THAT(ids("ann"), IsEmpty());
  EXPECT_THAT(ids("bob"), SizeIs(2));
}

TEST_F(SandboxTest, StreamsTheLifecycle) {
  Json params = Everything();
  params["stream"] = true;
  // Compression would hold events back.
  const Reply reply = Call("/recall/ask", params, {{"Accept-Encoding", "gzip, br"}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Content-Type"), "text/event-stream");
  EXPECT_EQ(reply.header("Cache-Control"), "no-cache");
  EXPECT_EQ(reply.header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(reply.header("Content-Encoding"), "");
  EXPECT_EQ(reply.header("X-Sandbox"), "igptd");
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
  httplib::Client client(origin());
  std::string received;
  httplib::Request request;
  request.method = "POST";
  request.path = "/v1/recall/ask";
  request.headers = {{"Authorization", "Bearer ak:sandbox"}};
  request.body = params.dump();
  request.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
    received.append(data, size);
    return received.find("run.output_text.delta") == received.npos;  // then goes away
  };
  EXPECT_FALSE(client.send(request));
  EXPECT_THAT(received, Not(HasSubstr("run.done")));
}

TEST_F(SandboxTest, KeepsConnectionsAlive) {
  httplib::Client client(origin());
  client.set_keep_alive(true);
  client.set_default_headers({{"Authorization", "Bearer ak:sandbox"}});
  Json params = Everything();
  for (const bool stream : {false, true, false, true}) {
    params["stream"] = stream;
    const httplib::Result result = client.Post("/v1/recall/ask", params.dump(), "application/json");
    ASSERT_TRUE(result);
    EXPECT_TRUE(client.is_socket_open());
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

TEST_F(SandboxTest, IgnoresFaultsUnlessToldOtherwise) {
  EXPECT_EQ(Call("/recall/ask", Everything(), {{"x-sandbox-fault", "status=503"}}).status, 200);
  EXPECT_EQ(Call("/recall/ask", Everything(), {{"x-sandbox-fault", "no such fault"}}).status, 200);
}

TEST_F(SandboxTest, RefusesWhatIsTooLarge) {
  const Reply reply = Post("/v1/recall/ask", std::string(17 << 20, ' '), {{"Authorization", "Bearer ak:sandbox"}});
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(reply.json(), (Json{{"error", "too_large"}}));
}

TEST(SandboxStartTest, SaysWhyItCannotListen) {
  const auto first = Sandbox::Start({"127.0.0.1:0", false});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string url = (*first)->base_url();
  const std::string address = url.substr(7, url.size() - 7 - 3);
  const absl::Status taken = Sandbox::Start({address, false}).status();
  EXPECT_EQ(taken.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(taken.message()), HasSubstr(address + ": Address already in use"));
  EXPECT_THAT(std::string(taken.message()), HasSubstr("choose another port"));
  for (const char* bad : {"", "127.0.0.1", ":1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1"}) {
    EXPECT_EQ(Sandbox::Start({bad, false}).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(Sandbox::Start({"203.0.113.7:0", false}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(SandboxStartTest, ListensAgainWhereItDid) {
  std::string address;
  {
    const auto first = Sandbox::Start({"127.0.0.1:0", false});
    ASSERT_TRUE(first.ok());
    address = (*first)->base_url().substr(7);
    address.resize(address.size() - 3);
    httplib::Client("http://" + address).Get("/");  // leaves a connection in TIME_WAIT
  }
  EXPECT_TRUE(Sandbox::Start({address, false}).ok());
}

TEST(SandboxStartTest, NamesAnAddressThatCanBeReached) {
  const auto sandbox = Sandbox::Start({"0.0.0.0:0", false});
  ASSERT_TRUE(sandbox.ok());
  EXPECT_THAT((*sandbox)->base_url(), MatchesRegex("http://127.0.0.1:[0-9]+/v1"));
}

class SandboxFaultsTest : public SandboxTest {
 protected:
  SandboxFaultsTest() : SandboxTest(true) {}

  // With nothing connected the answer is short.
  static Json Params(bool stream) { return {{"user", "eve"}, {"input", "budget"}, {"stream", stream}}; }

  Reply Ask(const std::string& fault, bool stream = false, const std::string& request_id = "") const {
    return Call("/recall/ask", Params(stream), {{"x-sandbox-fault", fault}, {"x-request-id", request_id}});
  }

  // The body of a stream up to the connection's end. Sets `whole` to whether it ended properly.
  std::string Body(const std::string& fault, bool stream, bool& whole, size_t* pieces = nullptr) const {
    httplib::Client client(origin());
    httplib::Request request;
    request.method = "POST";
    request.path = "/v1/recall/ask";
    request.headers = {{"Authorization", "Bearer ak:sandbox"}, {"x-sandbox-fault", fault}};
    request.body = Params(stream).dump();
    std::string body;
    request.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
      body.append(data, size);
      if (pieces != nullptr) ++*pieces;
      return true;
    };
    whole = static_cast<bool>(client.send(request));
    return body;
  }
};

TEST_F(SandboxFaultsTest, NamesAnUnknownFault) {
  const Reply reply = Ask("cut=1; explode");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.json(), (Json{{"error", "unknown fault: explode"}}));
}

TEST_F(SandboxFaultsTest, AnswersOtherThanTheApi) {
  const Reply status = Ask("delay=1ms; status=429; retry-after=2");
  EXPECT_EQ(status.status, 429);
  EXPECT_EQ(status.header("Retry-After"), "2");
  EXPECT_EQ(status.header("X-Sandbox"), "igptd");
  EXPECT_EQ(Ask("status=302").header("Location"), "/elsewhere");
  EXPECT_EQ(Ask("status=204").body, "");
  EXPECT_EQ(Ask("status=204").status, 204);
  const Reply html = Ask("html");
  EXPECT_EQ(html.status, 200);
  EXPECT_THAT(html.header("Content-Type"), StartsWith("text/html"));
  const Reply empty = Ask("empty", true);
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
  const Reply huge = Ask("huge=2097152", true);
  EXPECT_EQ(huge.body.find("\n\n"), 2097152 + std::string_view("data: ").size());
}

TEST_F(SandboxFaultsTest, BreaksWholeAnswers) {
  EXPECT_TRUE(Ask("malformed=0").json().is_discarded());
  EXPECT_TRUE(Ask("utf8=0").json().is_discarded());
  const Reply huge = Ask("huge=100000");
  EXPECT_EQ(huge.body.size(), 100000u);
  EXPECT_FALSE(huge.json().is_discarded());
}

TEST_F(SandboxFaultsTest, CutsConnections) {
  bool whole = true;
  const std::string stream = Body("cut=2", true, whole);
  EXPECT_FALSE(whole);
  EXPECT_EQ((Reply{200, stream, {}}).events().size(), 2u);
  EXPECT_EQ(Body("cut=0", true, whole), "");
  EXPECT_FALSE(whole);
  const std::string answer = Body("cut=0", false, whole);
  EXPECT_FALSE(whole);
  EXPECT_FALSE(answer.empty());
  EXPECT_TRUE((Reply{200, answer, {}}).json().is_discarded());
}

TEST_F(SandboxFaultsTest, SplitsBodies) {
  bool whole = false;
  size_t pieces = 0;
  const std::string stream = Body("split=3; noend", true, whole, &pieces);
  EXPECT_TRUE(whole);
  EXPECT_GE(pieces, stream.size() / 3);
  EXPECT_GT((Reply{200, stream, {}}).events().size(), 10u);
  EXPECT_FALSE(Ask("split=1").json().is_discarded());
}

// A stalled stream and a stalled answer end when the sandbox stops, although nothing else ends them.
TEST_F(SandboxFaultsTest, StopsAtOnce) {
  std::vector<std::thread> clients;
  std::vector<std::promise<void>> receiving(2);
  for (const bool stream : {true, false}) {
    clients.emplace_back([&, stream] {
      httplib::Client client(origin());
      client.set_read_timeout(600);
      httplib::Request request;
      request.method = "POST";
      request.path = "/v1/recall/ask";
      request.headers = {{"Authorization", "Bearer ak:sandbox"}, {"x-sandbox-fault", "stall=1"}};
      request.body = Params(stream).dump();
      request.response_handler = [&](const httplib::Response&) {
        receiving[stream ? 1 : 0].set_value();
        return true;
      };
      request.content_receiver = [](const char*, size_t, uint64_t, uint64_t) { return true; };
      EXPECT_FALSE(client.send(request));
    });
  }
  httplib::Client idle(origin());
  idle.set_keep_alive(true);
  ASSERT_TRUE(idle.Get("/"));
  for (std::promise<void>& received : receiving) received.get_future().wait();
  sandbox_.reset();
  for (std::thread& client : clients) client.join();
}

}  // namespace
}  // namespace igptd::sandbox
