// What the sandbox answers to each call, and what it refuses.
#include <string>
#include <vector>

#include "tests/integration/sandbox/sandbox_fixture.h"

namespace igptd::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kCalls[] = {
    "/recall/ask",          "/recall/run", "/recall/search", "/datasources/list", "/datasources/disconnect",
    "/connectors/authorize"};

TEST_F(SandboxTest, TakesEveryPathWithAndWithoutSlash) {
  for (const std::string path : kCalls) {
    const SandboxReply without = Call(path, Everything());
    const SandboxReply with = Call(path + "/", Everything());
    EXPECT_EQ(without.status, path == "/datasources/disconnect" ? 404 : 200) << path;
    EXPECT_EQ(with.status, without.status) << path;
    EXPECT_TRUE(with.json().is_object()) << path;
    EXPECT_EQ(with.Header("Content-Type"), "application/json");
    EXPECT_EQ(with.Header("X-Sandbox"), "igptd");
  }
}

TEST_F(SandboxTest, EverythingElseIsNotFound) {
  for (const char* path :
       {"/", "/v1", "/recall/ask/", "/v1/recall", "/v1/recall/ask//", "/v1/recall/askx", "/v2/recall/ask",
        "/v1/recall/ASK", "/connect/", "/connect/0123456789ABCDEF0123456789ABCDEF"}) {
    const SandboxReply reply = Post(path, Everything().dump(), {kKey});
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(reply.json(), (Json{{"error", "not_found"}})) << path;
    EXPECT_EQ(reply.Header("X-Sandbox"), "igptd");
  }
  EXPECT_EQ(Get(origin() + "/v1/recall/ask").json(), (Json{{"error", "not_found"}}));
}

TEST_F(SandboxTest, RefusesEveryOtherKey) {
  for (const char* authorization : {"", "Bearer", "Bearer ", "Bearer ak:other", "Bearer ak:sandbox2", "ak:sandbox",
                                    "Basic ak:sandbox", "Bearer  ak:sandbox"}) {
    for (const std::string path : kCalls) {
      const SandboxReply reply = Post("/v1" + path, Everything().dump(), {{"Authorization", authorization}});
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
    const SandboxReply reply = Post(std::string("/v1") + request.path, request.body, {kKey});
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
  // As the official Python SDK sends what was not given.
  EXPECT_THAT(
      Call("/recall/search", {{"user", "demo"}, {"query", nullptr}, {"max_results", nullptr}}).json()["results"],
      SizeIs(20));
}

TEST_F(SandboxTest, RefusesWhatIsTooLarge) {
  const SandboxReply reply = Post("/v1/recall/ask", std::string(17 << 20, ' '), {kKey});
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(reply.json(), (Json{{"error", "too_large"}}));
}

}  // namespace
}  // namespace igptd::sandbox
