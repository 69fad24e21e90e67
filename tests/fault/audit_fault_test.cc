// The lines for auditors: at every level, and whoever else fills the log.
#include <algorithm>
#include <atomic>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/await.h"
#include "tests/support/http2_client.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using grpc::StatusCode;
using ::testing::AllOf;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kToken[] = "canary-token-of-billing";
constexpr char kFloodToken[] = "canary-token-of-search";
// The hashes are from sha256sum. Each may act for ada only.
constexpr char kCallers[] = R"({"callers": [
  {"name": "billing", "users": {"exact": ["ada"]},
   "token_sha256": ["d3e29eddf29dd9c94a1348cd129821bb75241e08815de8b7dc2133c4cd800da2"]},
  {"name": "search", "users": {"exact": ["ada"]},
   "token_sha256": ["6feafeaa604a5bb41c107496d30f4cdbe9a0d25131891e8620087b07e42a11ba"]}]})";

Prepare Bearing(const std::string& token) {
  return [token](grpc::ClientContext& context) { context.AddMetadata("authorization", "Bearer " + token); };
}

v1::ListRequest ListOf(const std::string& user) {
  v1::ListRequest request;
  request.set_user(user);
  return request;
}

// The log lines with this message that hold this caller; "": none.
std::vector<nlohmann::json> LinesOf(const Igptd& igptd, const std::string& message, const std::string& caller) {
  std::vector<nlohmann::json> found;
  std::istringstream lines(igptd.process->Stderr());
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json json = nlohmann::json::parse(line, /*cb=*/nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.value("message", "") == message && json.value("caller", "") == caller) {
      found.push_back(std::move(json));
    }
  }
  return found;
}

// How many calls the lines say were left out.
int64_t LeftOut(const Igptd& igptd, const std::string& caller) {
  int64_t calls = 0;
  for (const nlohmann::json& line : LinesOf(igptd, "denied, left out", caller))
    calls += line.at("calls").get<int64_t>();
  return calls;
}

// Denied calls from several threads, on connections of their own, until it is destroyed.
class Flood {
 public:
  Flood(const Igptd& igptd, const Prepare& prepare) {
    constexpr int kThreads = 4;
    for (int i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this, prepare, channel = igptd.NewChannel()] {
        const auto stub = v1::DatasourcesService::NewStub(channel);
        while (!stop_) {
          grpc::ClientContext context;
          if (prepare) prepare(context);
          v1::ListResponse response;
          if (!stub->List(&context, ListOf("eve"), &response).ok()) ++denied_;
        }
      });
    }
  }
  ~Flood() { Stop(); }

  // How many calls were denied.
  int64_t Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return denied_;
  }
  int64_t denied() const { return denied_; }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> denied_ = 0;
  std::vector<std::thread> threads_;
};

TEST(AuditTest, Row71_DenialsAreLoggedAtEveryLevel) {
  const ScratchDirectory directory;
  Igptd igptd({"--callers_file=" + directory.Write("callers", kCallers), "--log_level=error", "--log_format=json"});
  EXPECT_THAT(igptd.List(ListOf("eve"), Bearing(kToken)).status,
              FailsWith(StatusCode::PERMISSION_DENIED, "USER_NOT_ALLOWED"));
  EXPECT_THAT(igptd.List(ListOf("ada")).status, FailsWith(StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED"));
  igptd.Stop();
  EXPECT_THAT(LinesOf(igptd, "denied", "billing"), SizeIs(1));
  EXPECT_THAT(LinesOf(igptd, "denied", ""), SizeIs(1));
  EXPECT_THAT(igptd.CallLines(), IsEmpty());
}

constexpr int kCalls = 50;

// So slowly that slow builds of igptd also flood the log.
constexpr int kBytesPerSecond = 128 << 10;

// Makes denied calls as billing while the log is flooded and read slowly. All of them have to be in the log.
void ExpectAllLines(const Prepare& flooder, const std::string& flooders_name) {
  const ScratchDirectory directory;
  Igptd igptd({"--callers_file=" + directory.Write("callers", kCallers), "--log_format=json"});
  igptd.process->ReadStderrSlowly(kBytesPerSecond);
  Flood flood(igptd, flooder);
  const auto dropped = [&] { return igptd.Metrics().at("igptd_log_lines_dropped_total"); };
  ASSERT_TRUE(AwaitTrue([&] { return dropped() > 0; }, 4 * kWaitLimit));
  for (int i = 0; i < kCalls; ++i) {
    EXPECT_THAT(igptd.List(ListOf("eve"), Bearing(kToken)).status,
                FailsWith(StatusCode::PERMISSION_DENIED, "USER_NOT_ALLOWED"));
    const int64_t before = flood.denied();
    ASSERT_TRUE(AwaitTrue([&] { return flood.denied() > before + 100; }));
  }
  EXPECT_TRUE(AwaitTrue([&] { return LinesOf(igptd, "denied", "billing").size() == kCalls; }));
  const int64_t denied = flood.Stop();
  igptd.process->ReadStderrSlowly(0);
  igptd.Stop();
  EXPECT_THAT(LinesOf(igptd, "denied", "billing"), SizeIs(kCalls));

  // The flood is its first lines and sums.
  const auto lines = static_cast<int64_t>(LinesOf(igptd, "denied", flooders_name).size());
  EXPECT_THAT(lines, AllOf(Gt(0), Lt(denied)));
  EXPECT_EQ(lines + LeftOut(igptd, flooders_name), denied);
  EXPECT_EQ(LeftOut(igptd, "billing"), 0);
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr("canary")));
}

// Who floods without a token is cut off, so this flood comes from ever new addresses.
TEST(AuditTest, Row71_AFloodWithoutATokenDrownsNoDenial) {
  const ScratchDirectory directory;
  Igptd igptd({"--callers_file=" + directory.Write("callers", kCallers), "--log_format=json"});
  igptd.process->ReadStderrSlowly(kBytesPerSecond);
  std::atomic<bool> stop = false;
  std::atomic<int> cut_off = 0;
  std::thread flood([&] {
    for (int address = 0; !stop; ++address) {
      Http2Client client(igptd.process->address(),
                         {.source = absl::StrCat("127.1.", address / 250 % 250, ".", 1 + address % 250)});
      while (!client.ended() && !stop) {
        for (int i = 0; i < 100; ++i) client.Message(client.Open("/igpt.v1.DatasourcesService/List"), "");
        if (!client.Flush()) break;
      }
      ++cut_off;
    }
  });
  for (int i = 0; i < kCalls; ++i) {
    EXPECT_THAT(igptd.List(ListOf("eve"), Bearing(kToken)).status,
                FailsWith(StatusCode::PERMISSION_DENIED, "USER_NOT_ALLOWED"));
    const int before = cut_off;
    EXPECT_TRUE(AwaitTrue([&] { return cut_off > before; }));
  }
  EXPECT_TRUE(AwaitTrue([&] { return LinesOf(igptd, "denied", "billing").size() == kCalls; }));
  stop = true;
  flood.join();
  igptd.process->ReadStderrSlowly(0);
  igptd.Stop();
  EXPECT_THAT(LinesOf(igptd, "denied", "billing"), SizeIs(kCalls));
  EXPECT_EQ(LeftOut(igptd, "billing"), 0);
}

TEST(AuditTest, Row71_AKnownCallersFloodDrownsNoOthersDenial) {
  ExpectAllLines(Bearing(kFloodToken), "search");
}

// One line for each interval, while the flood goes on.
TEST(AuditTest, Row71_AFloodIsSummedUpWhileItLasts) {
  const ScratchDirectory directory;
  Igptd igptd({"--callers_file=" + directory.Write("callers", kCallers), "--log_level=error", "--log_format=json"});
  Flood flood(igptd, {});
  EXPECT_TRUE(AwaitTrue([&] { return LinesOf(igptd, "denied, left out", "").size() >= 2; }, 4 * kWaitLimit));
  for (const nlohmann::json& line : LinesOf(igptd, "denied, left out", "")) {
    EXPECT_EQ(line.at("peer"), "ipv4:127.0.0.1");
    EXPECT_EQ(line.at("level"), "warn");
  }
}

}  // namespace
}  // namespace igpt::testing
