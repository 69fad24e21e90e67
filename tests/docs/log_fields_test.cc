// The table of docs/logs.md holds the fields that a real igptd logs for a call, and no others.
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

// What stands in `backquotes` in the first column of the table whose first column is called "field".
std::set<std::string> DocumentedFields(const std::string& path) {
  std::set<std::string> fields;
  std::ifstream page(path);
  bool in_table = false;
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("| field |", 0) == 0) in_table = true;
    if (line.empty()) in_table = false;
    if (!in_table) continue;
    std::istringstream column(line.substr(0, line.find('|', 1)));
    std::string text;
    for (bool quoted = false; std::getline(column, text, '`'); quoted = !quoted) {
      if (quoted) fields.insert(text);
    }
  }
  return fields;
}

TEST(LogFieldsTest, ThePageNamesThoseOfACall) {
  const ScratchDirectory directory;
  // By the SHA-256 of the token below.
  const std::string callers = directory.Write("callers", R"({"callers": [{"name": "somebody", "users": {"any": true},
    "token_sha256": ["638be6f006fb921c3b5e4ac37297c7ce30741832d3e5c78cbf149588e2543e40"]}]})");
  const auto prepare = [](grpc::ClientContext& context) {
    context.AddMetadata("authorization", "Bearer token-of-somebody-0001");
  };
  Igptd igptd({"--log_format=json", "--callers_file=" + callers});
  igptd.upstream.OnNextRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes."})"); });
  EXPECT_THAT(igptd.Ask(AskFor("ada", "Is it so?"), prepare).status, IsOkStatus());
  EXPECT_THAT(igptd.List({}, prepare).status, FailsWith(grpc::StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  igptd.Stop();
  std::set<std::string> fields;
  for (const nlohmann::json& line : igptd.CallLines()) {
    for (const auto& [name, value] : line.items()) fields.insert(name);
  }
  EXPECT_EQ(DocumentedFields(LOGS_PAGE), fields);
}

}  // namespace
}  // namespace igpt::testing
