// Starting igptd: bad configurations, its output, the port file, and rotating the key.
#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/await.h"
#include "tests/support/matchers.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;
using ::testing::StartsWith;

void ExpectRefused(const std::vector<std::string>& flags, const std::vector<std::string>& environment,
                   const std::string& named) {
  const IgptdProcess::Result result = IgptdProcess::Run(flags, environment);
  EXPECT_THAT(result.exit_code, Optional(2)) << named;
  EXPECT_EQ(result.out, "") << named;
  EXPECT_THAT(result.err, StartsWith("igptd: ")) << named;
  EXPECT_THAT(result.err, HasSubstr(named));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_EQ(result.err.back(), '\n') << result.err;
}

TEST(IgptdConfigTest, ABadConfigurationIsOneLineThatNamesTheFlag) {
  const ScratchDirectory directory;
  const std::string empty = directory.Write("empty", "");
  const std::vector<std::string> key = {"IGPT_API_KEY=ak:test"};
  const struct {
    std::vector<std::string> flags;
    std::vector<std::string> environment;
    std::string named;
  } kCases[] = {
      {{"--igpt_base_url=api.igpt.ai/v1"}, key, "--igpt_base_url"},
      {{"--igpt_base_url=http://api.igpt.ai/v1"}, key, "--igpt_base_url"},
      {{"--igpt_api_key_file=" + directory.File("missing")}, {}, directory.File("missing")},
      {{"--igpt_api_key_file=" + empty}, {}, empty},
      {{"--user_hash_key_file=" + empty}, key, empty},
      {{"--user_hash_key_file=" + directory.File("missing")}, key, directory.File("missing")},
      {{"--no_such_flag=1"}, key, "--no_such_flag"},
      {{"--igpt_api_key=ak:test"}, {}, "--igpt_api_key_file"},
      {{"--max_retries=none"}, key, "--max_retries"},
      {{"--max_retries=0"}, key, "--max_retries"},
      {{"--heartbeat_interval=15"}, key, "--heartbeat_interval"},
      {{"--log_level=loud"}, key, "--log_level"},
      {{"--listen=nowhere"}, key, "--listen"},
      {{"--default_user=a\nb"}, key, "--default_user"},
      {{"--sandbox"}, key, "IGPT_API_KEY"},
      {{"extra"}, key, "argument 1"},
      {{}, {}, "IGPT_API_KEY"},
      {{}, {"IGPT_API_KEY=ak:te st"}, "IGPT_API_KEY"},
      {{}, {"IGPT_API_KEY=ak:test", "IGPTD_MAX_RETRIES=x"}, "IGPTD_MAX_RETRIES"},
      {{"--listen=127.0.0.1:0", "--port_file=" + directory.File("no/such/directory")}, key, "--port_file"},
  };
  for (const auto& test : kCases) ExpectRefused(test.flags, test.environment, test.named);
}

TEST(IgptdConfigTest, APortInUseIsRefused) {
  Igptd first;
  ExpectRefused({"--listen=" + first.process->address()}, {"IGPT_API_KEY=ak:test"}, "--listen");
}

TEST(IgptdConfigTest, AProblemNeverShowsTheKey) {
  const ScratchDirectory directory;
  const std::string file = directory.Write("key", "canary\nsecond line");
  for (const auto& result :
       {IgptdProcess::Run({"--igpt_api_key_file=" + file}), IgptdProcess::Run({}, {"IGPT_API_KEY=canary key"}),
        IgptdProcess::Run({"--igpt_api_key=canary"})}) {
    EXPECT_THAT(result.exit_code, Optional(2));
    EXPECT_THAT(result.err, Not(HasSubstr("canary")));
  }
}

TEST(IgptdConfigTest, HelpVersionAndCheckConfig) {
  const IgptdProcess::Result help = IgptdProcess::Run({"--help"});
  EXPECT_THAT(help.exit_code, Optional(0));
  EXPECT_THAT(help.out, HasSubstr("--igpt_base_url"));
  EXPECT_EQ(help.err, "");

  const IgptdProcess::Result version = IgptdProcess::Run({"--version"});
  EXPECT_THAT(version.exit_code, Optional(0));
  EXPECT_THAT(version.out, StartsWith("igptd "));
  EXPECT_EQ(version.err, "");

  const IgptdProcess::Result good = IgptdProcess::Run({"--check_config"}, {"IGPT_API_KEY=ak:test"});
  EXPECT_THAT(good.exit_code, Optional(0));
  EXPECT_EQ(good.err, "");

  ExpectRefused({"--check_config", "--max_retries=0"}, {"IGPT_API_KEY=ak:test"}, "--max_retries");
  ExpectRefused({"--check_config", "--igpt_api_key_file=/no/such/file"}, {}, "/no/such/file");
}

TEST(IgptdConfigTest, ThePortFileHoldsThePort) {
  // Start() reads the port from the file that it names.
  const auto igptd = IgptdProcess::Start({"--sandbox"});
  ASSERT_THAT(igptd, IsOk());
  const std::string address = (*igptd)->address();
  EXPECT_TRUE((*igptd)->AwaitStderr("\"port\":" + address.substr(address.find(':') + 1)));
}

// Asks until iGPT sees `key`. A rotated key must be used within 5 s; the limit here only ends a failing test.
bool AwaitKey(Igptd& igptd, const std::string& key) {
  igpt::v1::ListRequest request;
  request.set_user("ada");
  return AwaitTrue([&] {
    EXPECT_THAT(igptd.List(request).status, IsOkStatus());
    return igptd.upstream.requests().back().Header("Authorization") == "Bearer " + key;
  });
}

TEST(IgptdConfigTest, ARotatedKeyIsUsedWithoutARestart) {
  const ScratchDirectory directory;
  const std::string file = directory.Write("key", "ak:first\n");
  Igptd igptd({"--igpt_api_key_file=" + file}, {});
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
  EXPECT_TRUE(AwaitKey(igptd, "ak:first"));
  directory.Write("key", "ak:second");
  EXPECT_TRUE(AwaitKey(igptd, "ak:second"));

  const std::pair<std::string, std::string> kRefused[] = {
      {"", "is empty"}, {"ak:two\nak:lines\n", "one line of visible ASCII"}, {std::string(5000, 'a'), "is over 4 KiB"}};
  for (const auto& [text, what] : kRefused) {
    directory.Write("key", text);
    EXPECT_TRUE(igptd.process->AwaitStderr(what));
    EXPECT_TRUE(AwaitKey(igptd, "ak:second"));
  }
  EXPECT_THAT(igptd.process->Stderr(), HasSubstr("keeping the old iGPT key"));
  std::filesystem::remove(file);
  EXPECT_TRUE(AwaitKey(igptd, "ak:second"));

  directory.Write("key", "ak:third");
  EXPECT_TRUE(AwaitKey(igptd, "ak:third"));
  igptd.Stop();
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr("ak:")));
}

// Libraries log too: protobuf, for example, about a string that is not UTF-8.
TEST(IgptdConfigTest, EveryLineOfTheLogIsItsOwn) {
  Igptd igptd({"--log_format=json", "--log_level=debug"});
  igpt::v1::ListRequest request;
  request.set_user("\xFF");
  EXPECT_EQ(igptd.List(request).status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  igptd.Stop();
  const std::string log = igptd.process->Stderr();
  EXPECT_THAT(log, HasSubstr("invalid UTF-8"));
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(log, '\n', absl::SkipEmpty()))) {
    EXPECT_THAT(line, StartsWith("{\"time\":"));
  }
}

}  // namespace
}  // namespace igpt::testing
