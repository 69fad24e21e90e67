// Requests that are long, slow, many, or never whole: nobody is blamed for what is honest, and what isn't is bounded.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "service/limits/admission.h"
#include "tests/hostile/attack.h"
#include "tests/hostile/bounds.h"
#include "tests/support/await.h"
#include "tests/support/http2_client.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr char kSearchPath[] = "/igpt.v1.RecallService/Search";
constexpr size_t kPiece = 16'384;

std::string LongQuestion(size_t bytes) {
  return AskFor("ada", std::string(bytes, 'a')).SerializeAsString();
}

// Sends a message as the windows allow, in pieces with pauses between them. Returns whether all of it was sent.
bool SendMessage(Http2Client& client, uint32_t stream, const std::string& message, absl::Duration pause) {
  const std::string bytes = MessageHead(message.size()) + message;
  for (size_t at = 0; at < bytes.size();) {
    if (!client.Await([&] { return client.SendWindow(stream) > 0 || client.EndOf(stream) != nullptr; })) return false;
    if (client.EndOf(stream) != nullptr) return false;
    const size_t size = std::min({bytes.size() - at, kPiece, static_cast<size_t>(client.SendWindow(stream))});
    client.Data(stream, std::string_view(bytes).substr(at, size));
    at += size;
    if (!client.Flush()) return false;
    if (pause > absl::ZeroDuration()) (void)client.Await([] { return false; }, pause);
  }
  client.EndStream(stream);
  return client.Flush();
}

// Thirty answers of 12 MB make igptd's memory jump while somebody else sends a question of 900 KB at 1 MB/s.
TEST(IgptdRequestsTest, ASlowQuestionBesideLargeAnswers) {
  constexpr int kSearches = 30;
  Igptd igptd({"--max_answer_bytes=16MiB"});
  const std::string large = R"({"docs":[{"text":")" + std::string(12'000'000, 'a') + R"("}]})";
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    if (exchange.request().target.find("search") == std::string::npos) return AnswerAtOnce(exchange);
    exchange.Answer(200, large);
  });
  Http2Client client(igptd.process->address(), Attacker());
  const uint32_t stream = client.Open(kAskPath);
  std::vector<std::thread> searches;
  for (int i = 0; i < kSearches; ++i) {
    searches.emplace_back([&] {
      grpc::ChannelArguments large_answers;
      large_answers.SetMaxReceiveMessageSize(16 << 20);
      const auto stub = igpt::v1::RecallService::NewStub(
          grpc::CreateCustomChannel(igptd.process->address(), grpc::InsecureChannelCredentials(), large_answers));
      grpc::ClientContext context;
      igpt::v1::SearchRequest request;
      request.set_user("grace");
      request.set_query("?");
      igpt::v1::SearchResponse response;
      EXPECT_THAT(stub->Search(&context, request, &response), IsOkStatus());
    });
  }
  EXPECT_TRUE(SendMessage(client, stream, LongQuestion(900'000), absl::Milliseconds(16)));
  EXPECT_TRUE(client.Await([&] { return client.EndOf(stream) != nullptr; }));
  for (std::thread& search : searches) search.join();
  ASSERT_NE(client.EndOf(stream), nullptr);
  EXPECT_THAT(client.EndOf(stream)->grpc_status, Optional(int{StatusCode::OK}));
  EXPECT_EQ(igptd.Metrics().at("igptd_connections_cut_off_total"), 0);
}

// What the documents allow, all at once and on one connection.
TEST(IgptdRequestsTest, ABatchOfLongQuestions) {
  constexpr int kQuestions = 240;
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  Http2Client client(igptd.process->address(), Attacker());
  const std::string message = LongQuestion(1 << 20);
  const std::string bytes = MessageHead(message.size()) + message;
  std::vector<std::pair<uint32_t, size_t>> unsent;
  for (int i = 0; i < kQuestions; ++i) unsent.emplace_back(client.Open(kAskPath), 0);
  const auto next = [&] {
    return std::find_if(unsent.begin(), unsent.end(), [&](const auto& each) {
      return each.second < bytes.size() && client.SendWindow(each.first) > 0;
    });
  };
  for (size_t left = kQuestions; left > 0;) {
    ASSERT_TRUE(client.Await([&] { return next() != unsent.end(); }));
    auto& [stream, sent] = *next();
    const size_t size = std::min({bytes.size() - sent, kPiece, static_cast<size_t>(client.SendWindow(stream))});
    client.Data(stream, std::string_view(bytes).substr(sent, size));
    sent += size;
    if (sent == bytes.size()) {
      client.EndStream(stream);
      --left;
    }
    ASSERT_TRUE(client.Flush());
  }
  ASSERT_TRUE(client.Await([&] { return client.ends().size() == kQuestions; }));
  for (const auto& [stream, end] : client.ends()) EXPECT_THAT(end.grpc_status, Optional(int{StatusCode::OK}));
  EXPECT_EQ(igptd.Metrics().at("igptd_connections_cut_off_total"), 0);
}

// Only the headers of thousands of calls come.
TEST(IgptdRequestsTest, RequestsThatNeverEnd) {
  constexpr int kConnections = 3;
  constexpr int kCalls = 3'900;
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const AttackResult result = Attack(igptd, [&] {
    std::vector<std::unique_ptr<Http2Client>> clients;
    for (int i = 0; i < kConnections; ++i) {
      clients.push_back(std::make_unique<Http2Client>(igptd.process->address(), Attacker()));
      for (int j = 0; j < kCalls && clients.back()->Flush(); ++j) clients.back()->Open(kAskPath);
      (void)clients.back()->Flush();
    }
    EXPECT_TRUE(AwaitTrue([&] { return igptd.Metrics().at("igptd_late_requests") > 0; }));
    EXPECT_LE(igptd.Metrics().at("igptd_late_requests"), igptd::kRequestsOnTheirWay.max_in_flight);
  });
  ExpectHarmless(result, kLateRequestsBytes);
}

// Long messages that come slowly on many connections, each of another address. Nobody gets a place for more than 20 s.
TEST(IgptdRequestsTest, LongRequestsThatNeverEnd) {
  constexpr int kConnections = 100;
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const AttackResult result = Attack(igptd, [&] {
    std::vector<std::unique_ptr<Http2Client>> clients;
    std::vector<uint32_t> streams;
    for (int i = 0; i < kConnections; ++i) {
      clients.push_back(
          std::make_unique<Http2Client>(igptd.process->address(), Http2Client::Behaviour{.source = "127.0.0.99"}));
      streams.push_back(clients.back()->Open(kAskPath));
      clients.back()->Data(streams.back(), MessageHead(4 << 20));
    }
    const std::string piece(kPiece, 'a');
    for (const absl::Time end = absl::Now() + absl::Seconds(5); absl::Now() < end;) {
      for (int i = 0; i < kConnections; ++i) {
        if (clients[i]->SendWindow(streams[i]) >= static_cast<int64_t>(kPiece)) clients[i]->Data(streams[i], piece);
        (void)clients[i]->Await([] { return false; }, absl::ZeroDuration());
      }
    }
  });
  ExpectHarmless(result, kLateRequestsBytes);
}

TEST(IgptdRequestsTest, ALateRequestEndsWithAReason) {
  Igptd igptd;
  Http2Client client(igptd.process->address(), Attacker());
  const uint32_t nothing = client.Open(kAskPath);
  const uint32_t half = client.Open(kSearchPath);
  client.Data(half, MessageHead(1000) + "half");
  ASSERT_TRUE(client.Await([&] { return client.EndOf(nothing) != nullptr && client.EndOf(half) != nullptr; }));
  for (const uint32_t stream : {nothing, half}) {
    EXPECT_THAT(client.EndOf(stream)->grpc_status, Optional(int{StatusCode::DEADLINE_EXCEEDED}));
    EXPECT_THAT(client.EndOf(stream)->trailers, HasSubstr("not whole 20 s after"));
  }
  EXPECT_FALSE(client.ended());
  const auto late = R"(igptd_errors_total{grpc_service="igpt.v1.RecallService",grpc_method="Ask",)"
                    R"(grpc_code="DeadlineExceeded",reason="REQUEST_TOO_SLOW"})";
  EXPECT_EQ(igptd.MetricsAtRest().at(late), 1);
}

TEST(IgptdRequestsTest, ACallWithoutARequest) {
  Igptd igptd;
  Http2Client client(igptd.process->address(), Attacker());
  for (const char* path : {kAskPath, kSearchPath}) {
    const uint32_t stream = client.Open(path);
    client.EndStream(stream);
    ASSERT_TRUE(client.Await([&] { return client.EndOf(stream) != nullptr; }));
    EXPECT_THAT(client.EndOf(stream)->grpc_status, Optional(int{StatusCode::INVALID_ARGUMENT}));
    EXPECT_THAT(client.EndOf(stream)->trailers, HasSubstr("has no request message"));
  }
}

// Before anything of their requests is read.
TEST(IgptdRequestsTest, UnknownCallersAreRefusedByTheirHeaders) {
  const ScratchDirectory directory;
  const std::string file = directory.Write("callers.json", R"({"callers":[{"name":"ada","token_sha256":[")" +
                                                               std::string(64, 'a') + R"("],"users":{"any":true}}]})");
  Igptd igptd({absl::StrCat("--callers_file=", file)});
  Http2Client client(igptd.process->address(), Attacker());
  for (const char* path : {kAskPath, kSearchPath}) {
    const uint32_t stream = client.Open(path);  // and nothing else
    ASSERT_TRUE(client.Await([&] { return client.EndOf(stream) != nullptr; }));
    EXPECT_THAT(client.EndOf(stream)->grpc_status, Optional(int{StatusCode::UNAUTHENTICATED}));
  }
}

TEST(IgptdRequestsTest, AnAddressHasABoundOfConnections) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  constexpr int kConnections = 60;
  constexpr int kWelcome = 400 / 8;
  LimitDescriptors(igptd.process->pid(), 400);
  std::vector<std::unique_ptr<Http2Client>> clients;
  for (int i = 0; i < kConnections; ++i) {
    clients.push_back(
        std::make_unique<Http2Client>(igptd.process->address(), Http2Client::Behaviour{.source = "127.0.0.98"}));
    (void)clients.back()->Flush();
  }
  EXPECT_TRUE(AwaitTrue([&] {
    return igptd.Metrics().at(R"(igptd_connections_refused_total{reason="too_many"})") == kConnections - kWelcome;
  }));
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
}

}  // namespace
}  // namespace igpt::testing
