// Traces through a real igptd: from the caller's metadata to the log line and to iGPT's headers.
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::Optional;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

constexpr char kCallers[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

Prepare With(Metadata metadata) {
  return [metadata = std::move(metadata)](grpc::ClientContext& context) {
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
  };
}

// The traceparent of the last request to iGPT.
std::string SentParent(const Igptd& igptd) {
  return igptd.upstream.requests().back().Header("traceparent").value_or("nothing");
}
std::optional<std::string> SentState(const Igptd& igptd) {
  return igptd.upstream.requests().back().Header("tracestate");
}

TEST(IgptdTraceTest, ATraceIsContinuedWithASpanOfIgptds) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes.","results":[]})"); });
  const Prepare traced = With({{"traceparent", kCallers}, {"tracestate", "rojo=1, t@s=2"}, {"tracestate", "congo=3"}});
  igpt::v1::SearchRequest search;
  search.set_user("ada");
  search.set_query("budget");

  std::vector<std::string> parents;
  EXPECT_THAT(igptd.Ask(AskFor("ada", "Is it so?"), traced).status, IsOkStatus());
  EXPECT_THAT(SentState(igptd), Optional(std::string("rojo=1,t@s=2,congo=3")));
  parents.push_back(SentParent(igptd));
  EXPECT_THAT(igptd.Search(search, traced).status, IsOkStatus());
  EXPECT_THAT(SentState(igptd), Optional(std::string("rojo=1,t@s=2,congo=3")));
  parents.push_back(SentParent(igptd));

  for (const std::string& parent : parents) {
    EXPECT_THAT(parent, MatchesRegex("00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01"));
    EXPECT_NE(parent, kCallers);
  }
  EXPECT_NE(parents[0], parents[1]);
  igptd.Stop();
  std::vector<std::string> logged;
  for (const nlohmann::json& call : igptd.CallLines()) {
    logged.push_back("00-" + call.value("trace_id", "") + "-" + call.value("span_id", "") + "-01");
  }
  EXPECT_THAT(logged, UnorderedElementsAreArray(parents));
}

TEST(IgptdTraceTest, TheSampledFlagIsTheCallersAndTheVersionOurs) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes."})"); });
  const std::string ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-";
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?"), With({{"traceparent", "00-" + ids + "00"}})).status, IsOkStatus());
  EXPECT_THAT(SentParent(igptd), AllOf(StartsWith("00-4bf92f"), EndsWith("-00")));
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?"), With({{"traceparent", "7e-" + ids + "03-later"}})).status, IsOkStatus());
  EXPECT_THAT(SentParent(igptd), AllOf(StartsWith("00-4bf92f"), EndsWith("-01"), SizeIs(55)));
}

// A malformed trace never fails the call.
TEST(IgptdTraceTest, WithoutATraceOneIsStarted) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes."})"); });
  const Metadata cases[] = {
      {},
      {{"tracestate", "rojo=1"}},
      {{"traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"}, {"tracestate", "rojo=1"}},
      {{"traceparent", std::string(kCallers) + "-01"}, {"tracestate", "rojo=1"}},
      {{"traceparent", kCallers}, {"traceparent", kCallers}, {"tracestate", "rojo=1"}},
  };
  std::vector<std::string> ids;
  for (const Metadata& metadata : cases) {
    EXPECT_THAT(igptd.Ask(AskFor("ada", "?"), With(metadata)).status, IsOkStatus());
    EXPECT_THAT(SentParent(igptd), MatchesRegex("00-[0-9a-f]{32}-[0-9a-f]{16}-00"));
    EXPECT_THAT(SentParent(igptd), Not(StartsWith("00-4bf92f")));
    EXPECT_EQ(SentState(igptd), std::nullopt);
    ids.push_back(SentParent(igptd).substr(3, 32));
  }
  igptd.Stop();
  std::vector<std::string> logged;
  for (const nlohmann::json& call : igptd.CallLines()) logged.push_back(call.value("trace_id", ""));
  EXPECT_THAT(logged, UnorderedElementsAreArray(ids));
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
}

TEST(IgptdTraceTest, AMalformedStateIsDroppedAndTheTraceKept) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes."})"); });
  const Prepare traced = With({{"traceparent", kCallers}, {"tracestate", "rojo=1,=2"}});
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?"), traced).status, IsOkStatus());
  EXPECT_THAT(SentParent(igptd), StartsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  EXPECT_EQ(SentState(igptd), std::nullopt);
}

}  // namespace
}  // namespace igpt::testing
