#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "service/sandbox/accounts.h"
#include "service/sandbox/connect_page.h"

namespace igptd::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

Grant GrantFor(const std::string& user, std::vector<std::string> scopes = {"messages"}) {
  return {user, "spike", std::move(scopes), "", ""};
}

void Connect(Accounts& accounts, const Grant& grant) {
  ASSERT_TRUE(accounts.Redeem(accounts.Offer(grant)).has_value());
}

TEST(AccountsTest, DemoIsConnectedFromTheStart) {
  Accounts accounts;
  EXPECT_EQ(accounts.List("demo"), Json::parse(R"([{"id": "spike/mailbox-1/messages", "service": "spike",
      "type": "spike/messages", "status": "enabled", "title": "Sandbox mailbox", "subtitle": "maya@example.com",
      "progress": 100, "newest": 1791479400, "oldest": 1771319520}])"));
  EXPECT_EQ(accounts.Find("demo").mailbox.data(), Mailbox().data());
}

TEST(AccountsTest, NobodyElseIs) {
  Accounts accounts;
  EXPECT_EQ(accounts.List("ann"), Json::array());
  EXPECT_EQ(accounts.Peek("ann"), Json::array());
  EXPECT_THAT(accounts.Find("ann").mailbox, IsEmpty());
  accounts.Offer(GrantFor("ann"));
  EXPECT_THAT(accounts.Find("ann").mailbox, IsEmpty()) << "offered is not yet connected";
}

TEST(AccountsTest, ATokenIsGoodForOneGrantOnce) {
  Accounts accounts;
  const std::string ann = accounts.Offer({"ann", "spike", {"messages"}, "https://example.com/done", "s"});
  const std::string bob = accounts.Offer(GrantFor("bob"));
  EXPECT_THAT(ann, MatchesRegex("[0-9A-F]{32}"));
  EXPECT_NE(ann, bob);
  EXPECT_FALSE(accounts.Redeem("").has_value());
  EXPECT_FALSE(accounts.Redeem(ann.substr(0, 31)).has_value());
  const std::optional<Grant> grant = accounts.Redeem(ann);
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->user, "ann");
  EXPECT_EQ(grant->redirect_uri, "https://example.com/done");
  EXPECT_EQ(grant->state, "s");
  EXPECT_FALSE(accounts.Redeem(ann).has_value());
  EXPECT_THAT(accounts.Find("bob").mailbox, IsEmpty());
}

TEST(AccountsTest, ForgetsTheOldestOffers) {
  Accounts accounts;
  const std::string first = accounts.Offer(GrantFor("ann"));
  const std::string second = accounts.Offer(GrantFor("bob"));
  for (int i = 0; i < 999; ++i) accounts.Offer(GrantFor("crowd"));
  EXPECT_FALSE(accounts.Redeem(first).has_value());
  EXPECT_TRUE(accounts.Redeem(second).has_value());
}

TEST(AccountsTest, IndexesThenEnables) {
  Accounts accounts;
  Connect(accounts, GrantFor("ann"));
  EXPECT_THAT(accounts.Find("ann").mailbox, Not(IsEmpty())) << "found from the start";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(accounts.Peek("ann")[0]["status"], "indexing") << "looking doesn't count";
  }
  const Json first = accounts.List("ann");
  EXPECT_EQ(first[0]["status"], "indexing");
  EXPECT_EQ(first[0]["progress"], 40);
  for (int i = 0; i < 2; ++i) {
    const Json later = accounts.List("ann");
    EXPECT_EQ(later[0]["status"], "enabled");
    EXPECT_EQ(later[0]["progress"], 100);
  }
  Connect(accounts, GrantFor("ann"));
  EXPECT_THAT(accounts.Peek("ann"), SizeIs(1)) << "the same datasource again";
  EXPECT_EQ(accounts.List("ann")[0]["status"], "indexing");
}

TEST(AccountsTest, UsersHaveTheirOwn) {
  Accounts accounts;
  Connect(accounts, GrantFor("ann"));
  Connect(accounts, GrantFor("bob", {"messages", "files"}));
  const Json ann = accounts.List("ann");
  const Json bob = accounts.List("bob");
  ASSERT_THAT(ann, SizeIs(1));
  ASSERT_THAT(bob, SizeIs(2));
  EXPECT_EQ(ann[0]["id"], "spike/mailbox-2/messages");
  EXPECT_EQ(bob[0]["id"], "spike/mailbox-3/messages");
  EXPECT_EQ(bob[1]["id"], "spike/mailbox-3/files");
  EXPECT_EQ(bob[1]["type"], "spike/files");
  EXPECT_NE(accounts.Find("ann").name, accounts.Find("bob").name);

  EXPECT_FALSE(accounts.Disconnect("ann", "spike/mailbox-3/messages")) << "another user's";
  EXPECT_FALSE(accounts.Disconnect("nobody", "spike/mailbox-3/messages"));
  EXPECT_TRUE(accounts.Disconnect("bob", "spike/mailbox-3/messages"));
  EXPECT_FALSE(accounts.Disconnect("bob", "spike/mailbox-3/messages")) << "gone";
  EXPECT_THAT(accounts.Find("bob").mailbox, Not(IsEmpty())) << "one is left";
  EXPECT_TRUE(accounts.Disconnect("bob", "spike/mailbox-3/files"));
  EXPECT_THAT(accounts.Find("bob").mailbox, IsEmpty());
  EXPECT_EQ(accounts.List("bob"), Json::array());
  EXPECT_THAT(accounts.Find("ann").mailbox, Not(IsEmpty()));

  Connect(accounts, GrantFor("bob"));
  EXPECT_EQ(accounts.List("bob")[0]["id"], "spike/mailbox-3/messages") << "the same account again";
}

TEST(AccountsTest, IsThreadSafe) {
  Accounts accounts;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&accounts, user = "user-" + std::to_string(i)] {
      for (int round = 0; round < 100; ++round) {
        Connect(accounts, GrantFor(user));
        const Json datasources = accounts.List(user);
        EXPECT_THAT(datasources, SizeIs(1));
        EXPECT_TRUE(accounts.Disconnect(user, datasources[0]["id"].get<std::string>()));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ConnectPageTest, RedirectsToTheWebOnly) {
  for (const char* uri :
       {"https://example.com", "http://localhost:8080/cb?x=1", "HTTPS://example.com/#top", "http://[::1]:80/"}) {
    EXPECT_TRUE(IsRedirectUri(uri)) << uri;
  }
  for (const char* uri :
       {"", "example.com", "/path", "ftp://example.com", "javascript:alert(1)", "http://", "https:///x", "https://?x",
        "http://example.com/a b", "https://example.com/\r\nSet-Cookie: a=b", "https://example.com/\x7F",
        "https://ex\xC3\xA4mple.com", "//example.com"}) {
    EXPECT_FALSE(IsRedirectUri(uri)) << uri;
  }
}

TEST(ConnectPageTest, AddsTheState) {
  EXPECT_EQ(RedirectTo("https://a.example/cb", ""), "https://a.example/cb");
  EXPECT_EQ(RedirectTo("https://a.example/cb", "s"), "https://a.example/cb?state=s");
  EXPECT_EQ(RedirectTo("https://a.example/cb?x=1", "s"), "https://a.example/cb?x=1&state=s");
  EXPECT_EQ(RedirectTo("https://a.example/cb#f", "s"), "https://a.example/cb?state=s#f");
  EXPECT_EQ(RedirectTo("https://a.example/cb?x#f?y", "s"), "https://a.example/cb?x&state=s#f?y");
  EXPECT_EQ(RedirectTo("https://a.example/", "a b&c=d/ü\r\n~"),
            "https://a.example/?state=a%20b%26c%3Dd%2F%C3%BC%0D%0A~");
}

TEST(ConnectPageTest, EscapesWhatUsersWrote) {
  const std::string page = ConnectedPage({"<script>alert('u')</script>", "s\"&", {"<b>"}, "", ""});
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&#39;u&#39;)&lt;/script&gt;"));
  EXPECT_THAT(page, HasSubstr("s&quot;&amp;"));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
}

}  // namespace
}  // namespace igptd::sandbox
