// Messages far over the limit, and readers that stop: memory stays bounded, and other callers don't notice.
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/hostile/attack.h"
#include "tests/hostile/bounds.h"
#include "tests/support/await.h"
#include "tests/support/http2_client.h"
#include "tests/support/memory.h"

namespace igpt::testing {
namespace {

using grpc::StatusCode;

// Sends a message of `bytes` bytes on each of `streams` streams at once, without the last byte, as the windows allow.
void SendAllButTheEnd(Igptd& igptd, int streams, size_t bytes) {
  constexpr size_t kPiece = 16'384;
  const std::string piece(kPiece, 'a');
  Http2Client client(igptd.process->address(), Attacker());
  std::vector<std::pair<uint32_t, size_t>> unsent;
  for (int i = 0; i < streams; ++i) {
    unsent.emplace_back(client.Open(kAskPath), bytes - 1);
    client.Data(unsent.back().first, MessageHead(bytes));
  }
  const auto next = [&] {
    return std::find_if(unsent.begin(), unsent.end(), [&](const auto& each) {
      return each.second > 0 && client.SendWindow(each.first) > 0 && client.EndOf(each.first) == nullptr;
    });
  };
  while (client.Flush() && client.Await([&] { return next() != unsent.end(); }, absl::Seconds(2))) {
    auto& [stream, left] = *next();
    const size_t size = std::min({left, kPiece, static_cast<size_t>(client.SendWindow(stream))});
    client.Data(stream, std::string_view(piece).substr(0, size));
    left -= size;
  }
}

TEST(IgptdMessagesTest, AMessageOf512MiB) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const auto attack = [&] { SendAllButTheEnd(igptd, 1, 512 * kMiB); };
  ExpectHarmless(Attack(igptd, attack), kLargeMessageBytes);
  ExpectHarmless(Attack(igptd, attack), kSecondAttackBytes);
}

TEST(IgptdMessagesTest, AHundredMessagesThatAreAlmostWhole) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const auto attack = [&] { SendAllButTheEnd(igptd, 100, 4 * kMiB); };
  ExpectHarmless(Attack(igptd, attack), kLargeMessageBytes);
  ExpectHarmless(Attack(igptd, attack), kSecondAttackBytes);
}

TEST(IgptdMessagesTest, JustOverTheLimit) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const Stream stream = igptd.Ask(AskFor("ada", std::string(5 * kMiB, 'a')));
  EXPECT_EQ(stream.status.error_code(), StatusCode::RESOURCE_EXHAUSTED) << stream.status.error_message();
  EXPECT_TRUE(igptd.upstream.requests().empty());
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
}

// A message of `bytes` zeros, compressed.
std::string Bomb(size_t bytes) {
  const std::string zeros(bytes, '\0');
  std::string packed(compressBound(bytes), '\0');
  uLongf size = packed.size();
  EXPECT_EQ(compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(zeros.data()),
                      bytes, Z_BEST_COMPRESSION),
            Z_OK);
  packed.resize(size);
  return packed;
}

// Half a megabyte, which gRPC would unpack to half a gigabyte before it asks whose it is.
TEST(IgptdMessagesTest, GzipBombs) {
  const std::string bomb = Bomb(512 * kMiB);
  const std::string message = std::string("\1").append(MessageHead(bomb.size()).substr(1)).append(bomb);
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const auto attack = [&] {
    for (const Http2Client::Headers& headers :
         {Http2Client::Headers{{"grpc-encoding", "deflate"}}, {{"grpc-encoding", "gzip"}}, {}}) {
      for (const char* path : {kAskPath, "/igpt.v1.RecallService/Search", "/grpc.health.v1.Health/Check",
                               "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}) {
        Http2Client client(igptd.process->address(), Attacker());
        const uint32_t stream = client.Open(path, headers);
        for (size_t sent = 0; sent < message.size() && client.EndOf(stream) == nullptr;) {
          ASSERT_TRUE(client.Await([&] { return client.SendWindow(stream) > 0 || client.EndOf(stream) != nullptr; }));
          const size_t size = std::min(message.size() - sent, static_cast<size_t>(client.SendWindow(stream)));
          client.Data(stream, std::string_view(message).substr(sent, size));
          sent += size;
        }
        client.EndStream(stream);
        ASSERT_TRUE(client.Await([&] { return client.EndOf(stream) != nullptr; }));
      }
    }
  };
  ExpectHarmless(Attack(igptd, attack), kBombBytes);
}

// On connections that stay open and read nothing: the kernel's buffers are bounded, and so is what igptd holds.
TEST(IgptdMessagesTest, AThousandReadersThatStoppedOnEndlessStreams) {
  constexpr int kReaders = 1000;
  constexpr int kPerConnection = 100;
  constexpr int kIdleConnections = 16;
  Igptd igptd({"--max_answer_bytes=1GiB"});
  igptd.upstream.OnRequest([](Exchange& exchange) {
    if (exchange.request().body.find("endless") == std::string::npos) return AnswerAtOnce(exchange);
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    const std::string event = DeltaEvent(1, std::string(4000, 'a'));
    while (exchange.SendSse(event)) {
    }
  });
  std::vector<std::unique_ptr<Http2Client>> clients;
  const std::string request = AskFor("ada", "endless").SerializeAsString();
  const auto attack = [&] {
    for (int i = 0; i < kReaders; ++i) {
      if (i % kPerConnection == 0) clients.push_back(std::make_unique<Http2Client>(igptd.process->address()));
      clients.back()->Message(clients.back()->Open(kAskPath), request);
      ASSERT_TRUE(clients.back()->Flush());
    }
    ASSERT_TRUE(igptd.upstream.AwaitRequests(kReaders));
    // Waits until all streams are paused, so that memory grows no more.
    size_t before = 0;
    for (size_t now = 2 * kMiB; now > before + kMiB; now = ResidentMemory(igptd.process->pid())) {
      before = ResidentMemory(igptd.process->pid());
      absl::SleepFor(absl::Seconds(1));
    }
  };
  const AttackResult result = Attack(igptd, attack);
  ExpectHarmless(result, kReaders * kStoppedReaderBytes);
  clients.clear();
  // igptd aborts their requests to iGPT. Idle connections for the neighbour's requests remain.
  const auto open = [&] {
    int count = 0;
    for (int i = 1; i <= igptd.upstream.connections(); ++i) count += igptd.upstream.closed_at(i).has_value() ? 0 : 1;
    return count;
  };
  EXPECT_TRUE(AwaitTrue([&] { return open() <= kIdleConnections; })) << open();
}

// gRPC's HTTP/2 code quotes bad headers in its log messages.
TEST(IgptdMessagesTest, AHeaderThatIsWrongIsNotQuotedInTheLog) {
  Igptd igptd({"--log_level=trace"});
  igptd.upstream.OnRequest(AnswerAtOnce);
  Http2Client client(igptd.process->address(), Attacker());
  const uint32_t stream = client.Open(kAskPath, {{"grpc-timeout", "canary"}, {"grpc-encoding", "canary"}});
  client.Message(stream, AskFor("ada", "?").SerializeAsString());
  ASSERT_TRUE(client.Await([&] { return client.EndOf(stream) != nullptr; }));
  igptd.Stop();
  EXPECT_THAT(igptd.process->Stderr(), ::testing::HasSubstr("hpack_parser.cc"));
  EXPECT_THAT(igptd.process->Stderr(), ::testing::Not(::testing::HasSubstr("canary")));
}

}  // namespace
}  // namespace igpt::testing
