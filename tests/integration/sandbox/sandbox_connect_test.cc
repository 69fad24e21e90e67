// Connecting a mailbox, in a browser, and taking it away.
#include <string>
#include <vector>

#include "tests/integration/sandbox/sandbox_fixture.h"

namespace igptd::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST_F(SandboxTest, ConnectsIndexesAndDisconnects) {
  const Json user = {{"user", "ann"}};
  EXPECT_EQ(Call("/datasources/list", user).json(), (Json{{"datasources", Json::array()}}));
  const Json authorized =
      Call("/connectors/authorize", {{"user", "ann"}, {"service", "spike"}, {"scope", "messages files"}}).json();
  const std::string url = authorized["url"];
  EXPECT_THAT(url, MatchesRegex("http://127.0.0.1:[0-9]+/connect/[0-9A-F]{32}"));

  EXPECT_EQ(HttpClient().Head(url).status, 404) << "only looking connects nothing";
  EXPECT_EQ(Call("/datasources/list", user).json()["datasources"], Json::array());

  const SandboxReply page = Get(url);
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.Header("Content-Type"), StartsWith("text/html"));
  EXPECT_THAT(page.Header("Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_EQ(page.Header("X-Sandbox"), "igptd");
  EXPECT_THAT(page.body, HasSubstr("connected"));
  const SandboxReply again = Get(url);
  EXPECT_EQ(again.status, 404);
  EXPECT_THAT(again.Header("Content-Type"), StartsWith("text/html"));

  const Json first = Call("/datasources/list", user).json()["datasources"];
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(first[0]["status"], "indexing");
  EXPECT_EQ(first[0]["progress"], 40);
  const Json second = Call("/datasources/list", user).json()["datasources"];
  EXPECT_EQ(second[0]["status"], "enabled");
  EXPECT_EQ(second[0]["progress"], 100);
  EXPECT_THAT(Call("/recall/search", user).json()["results"], Not(IsEmpty()));

  for (const Json& datasource : second) {
    const SandboxReply gone = Call("/datasources/disconnect/", {{"user", "ann"}, {"id", datasource["id"]}});
    EXPECT_EQ(gone.status, 200);
    EXPECT_EQ(gone.json(), (Json{{"disconnected", true}}));
  }
  const SandboxReply unknown = Call("/datasources/disconnect", {{"user", "ann"}, {"id", second[0]["id"]}});
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
  const SandboxReply back = Get(authorize({{"redirect_uri", "https://app.example/cb?x=1#f"}, {"state", "a&b =ü"}}));
  EXPECT_EQ(back.status, 302);
  EXPECT_EQ(back.Header("Location"), "https://app.example/cb?x=1&state=a%26b%20%3D%C3%BC#f");
  EXPECT_EQ(Get(authorize({{"redirect_uri", "http://localhost:1/cb"}})).Header("Location"), "http://localhost:1/cb");
  const SandboxReply page = Get(authorize({{"state", "unused"}}));
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("&lt;i&gt;"));
}

TEST_F(SandboxTest, UsersSeeTheirOwnOnly) {
  for (const char* user : {"ann", "bob"}) {
    const Json authorized =
        Call("/connectors/authorize", {{"user", user}, {"service", "spike"}, {"scope", "messages"}}).json();
    ASSERT_EQ(Get(authorized["url"].get<std::string>()).status, 200);
  }
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

}  // namespace
}  // namespace igptd::sandbox
