// Clients that flood their connection: igptd closes it or refuses the calls, its memory stays bounded, and other
// callers don't notice.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/hostile/attack.h"
#include "tests/hostile/bounds.h"
#include "tests/support/await.h"
#include "tests/support/http2_client.h"

namespace igpt::testing {
namespace {

using grpc::StatusCode;

// More than a small request takes.
constexpr int64_t kWindow = 1000;

constexpr int kResourceExhausted = StatusCode::RESOURCE_EXHAUSTED;

// Repeats `step` until igptd has closed the connection, at most `times` times.
void UntilEnded(Http2Client& client, int times, const std::function<void()>& step) {
  for (int i = 0; i < times && !client.ended(); ++i) {
    step();
    if (!client.Flush()) break;
  }
}

// Expects that igptd closes the connection.
void AwaitEnd(Http2Client& client) {
  (void)client.Await([] { return false; });  // returns when the connection has ended
  EXPECT_TRUE(client.ended());
}

// CVE-2023-44487, with and without requests.
void ResetFlood(Igptd& igptd, int thousands, std::string_view path = kAskPath) {
  Http2Client client(igptd.process->address(), Attacker());
  const std::string request = AskFor("ada", "?").SerializeAsString();
  UntilEnded(client, thousands, [&] {
    for (int i = 0; i < 1000; ++i) {
      const uint32_t stream = client.Open(path);
      // Only if the window allows it: otherwise gRPC would close the connection.
      if (i % 2 == 0 && client.SendWindow(stream) > kWindow) client.Message(stream, request);
      client.Reset(stream);
    }
  });
  AwaitEnd(client);
}

TEST(IgptdFloodTest, CallsThatAreResetAtOnce) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const AttackResult first = Attack(igptd, [&] { ResetFlood(igptd, 500); });
  ExpectHarmless(first, kResetFloodBytes);
  const AttackResult second = Attack(igptd, [&] { ResetFlood(igptd, 500); });
  ExpectHarmless(second, kSecondAttackBytes);
  // Calls that were reset before igptd got them cause no request to iGPT, and the requests of the others have ended.
  EXPECT_LT(first.upstream_requests, 2000U);
}

TEST(IgptdFloodTest, UnknownMethods) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  ExpectHarmless(Attack(igptd, [&] { ResetFlood(igptd, 500, "/a.B/C"); }), kResetFloodBytes);
  // Nothing is reset, and no answer is read.
  const auto attack = [&] {
    Http2Client client(igptd.process->address(), Attacker());
    for (int i = 0; i < 200 && !client.ended(); ++i) {
      for (int j = 0; j < 100; ++j) client.Message(client.Open("/a.B/C"), "request");
      if (!client.Flush()) break;
    }
  };
  ExpectHarmless(Attack(igptd, attack), kResetFloodBytes);
}

// Only its own address, and only for a while.
TEST(IgptdFloodTest, WhoWasCutOffWaits) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const Http2Client::Behaviour behaviour = Attacker();
  Http2Client flooding(igptd.process->address(), behaviour);
  UntilEnded(flooding, 500, [&] {
    for (int i = 0; i < 1000; ++i) flooding.Reset(flooding.Open("/a.B/C"));
  });
  ASSERT_TRUE(AwaitTrue([&] { return igptd.Metrics().at("igptd_connections_cut_off_total") == 1; }));
  EXPECT_TRUE(igptd.process->AwaitStderr("closed an abusive connection"));
  Http2Client again(igptd.process->address(), behaviour);
  AwaitEnd(again);
  EXPECT_GE(igptd.Metrics().at(R"(igptd_connections_refused_total{reason="waits"})"), 1);
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());  // another address
  EXPECT_TRUE(AwaitTrue([&] {
    Http2Client later(igptd.process->address(), behaviour);
    return later.Await([&] { return later.SendWindow(1) > 0 && !later.ended(); }, absl::ZeroDuration()) &&
           !later.Await([] { return false; }, absl::Milliseconds(200)) && !later.ended();
  }));
}

// Slow enough that igptd gets each call: cancelling it aborts its request to iGPT.
TEST(IgptdFloodTest, CallsThatAreResetOnceTheyRun) {
  constexpr int kCalls = 100;
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Stall(); });
  Http2Client client(igptd.process->address(), Attacker());
  const std::string request = AskFor("ada", "?").SerializeAsString();
  for (int i = 1; i <= kCalls; ++i) {
    const uint32_t stream = client.Open(kAskPath);
    client.Message(stream, request);
    ASSERT_TRUE(client.Flush());
    ASSERT_TRUE(igptd.upstream.AwaitRequests(static_cast<size_t>(i)));
    client.Reset(stream);
    ASSERT_TRUE(client.Flush());
  }
  for (int i = 1; i <= igptd.upstream.connections(); ++i) EXPECT_TRUE(igptd.upstream.AwaitClosed(i)) << i;
  EXPECT_FALSE(client.ended());  // cancels are a caller's right
}

TEST(IgptdFloodTest, CallsThatNeverSendTheirRequest) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const auto attack = [&] {
    Http2Client client(igptd.process->address(), Attacker({.acknowledge_settings = false}));
    UntilEnded(client, 40, [&] {
      for (int i = 0; i < 1000; ++i) client.Open(kAskPath);
    });
    AwaitEnd(client);
  };
  ExpectHarmless(Attack(igptd, attack), kOpenStreamsBytes);
  ExpectHarmless(Attack(igptd, attack), kSecondAttackBytes);
}

TEST(IgptdFloodTest, Pings) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const auto attack = [&] {
    Http2Client client(igptd.process->address(), Attacker());
    UntilEnded(client, 200, [&] {
      for (int i = 0; i < 1000; ++i) client.Ping();
    });
    AwaitEnd(client);
  };
  ExpectHarmless(Attack(igptd, attack), kPingFloodBytes);
  ExpectHarmless(Attack(igptd, attack), kPingFloodBytes);
}

// One call's headers, in endless frames. While its SETTINGS are unacknowledged, gRPC accepts 16 MiB as HTTP/2 counts
// them, which take 30 times as much memory.
TEST(IgptdFloodTest, HeadersWithoutEnd) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const auto attack = [&] {
    Http2Client client(igptd.process->address(), Attacker({.acknowledge_settings = false}));
    constexpr uint8_t kHeaders = 1;
    constexpr uint8_t kContinuation = 9;
    std::string fields;
    for (int i = 0; i < 3000; ++i) fields.append("\0\1a\1b", 5);
    client.Frame(kHeaders, 0, 1, "\x83\x86");
    UntilEnded(client, 8000, [&] { client.Frame(kContinuation, 0, 1, fields); });
    AwaitEnd(client);
  };
  ExpectHarmless(Attack(igptd, attack), kHeaderFloodBytes);
  ExpectHarmless(Attack(igptd, attack), kSecondAttackBytes);
}

// The client never acknowledged the limit, so gRPC doesn't enforce all of it. igptd does.
TEST(IgptdFloodTest, MetadataOverTheLimit) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const auto attack = [&] {
    Http2Client client(igptd.process->address(), Attacker({.acknowledge_settings = false}));
    const std::string request = AskFor("ada", "?").SerializeAsString();
    for (const size_t size : {9'000, 60'000}) {
      for (int i = 0; i < 50; ++i) {
        const uint32_t stream = client.Open(kAskPath, {{"x-large", std::string(size, 'a')}});
        client.Message(stream, request);
        ASSERT_TRUE(client.Await([&] { return client.EndOf(stream) != nullptr; }));
        EXPECT_EQ(client.EndOf(stream)->grpc_status, kResourceExhausted) << size;
      }
    }
    const uint32_t small = client.Open(kAskPath, {{"x-small", std::string(7'000, 'a')}});
    client.Message(small, request);
    ASSERT_TRUE(client.Await([&] { return client.EndOf(small) != nullptr; }));
    EXPECT_EQ(client.EndOf(small)->grpc_status, StatusCode::OK);
  };
  const AttackResult result = Attack(igptd, attack);
  ExpectHarmless(result, kHeaderFloodBytes);
  EXPECT_EQ(result.upstream_requests, 1U);  // for the call with little metadata
}

// A client that obeys the rules is told why, and keeps its connection.
TEST(IgptdFloodTest, MetadataOverTheLimitFromALegalClient) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  igptd.Ask(AskFor("ada", "?"));  // now the connection knows the limit
  const Stream stream = igptd.Ask(AskFor("ada", "?"), [](grpc::ClientContext& context) {
    context.AddMetadata("x-large", std::string(9'000, 'a'));
  });
  EXPECT_THAT(stream.status, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "INVALID_REQUEST"));
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
}

// The maximum of calls on one connection, all at once, is not an attack.
TEST(IgptdFloodTest, ManyLegalCallsAtOnceAreServed) {
  constexpr int kCalls = 3'900;
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const AttackResult result = Attack(igptd, [&] {
    Http2Client client(igptd.process->address(), Attacker());
    const std::string request = AskFor("ada", "").SerializeAsString();  // rejected, so that this doesn't measure iGPT
    std::vector<uint32_t> streams;
    for (int i = 0; i < kCalls; ++i) {
      streams.push_back(client.Open(kAskPath));
      ASSERT_TRUE(client.Flush());
      ASSERT_TRUE(client.Await([&] { return client.SendWindow(streams.back()) > kWindow; }));
      client.Message(streams.back(), request);
    }
    ASSERT_TRUE(client.Await([&] { return client.EndOf(streams.back()) != nullptr; })) << igptd.process->Stderr();
    ASSERT_TRUE(client.Await([&] {
      for (const uint32_t stream : streams) {
        if (client.EndOf(stream) == nullptr) return false;
      }
      return true;
    }));
    for (const uint32_t stream : streams) ASSERT_EQ(client.EndOf(stream)->grpc_status, StatusCode::INVALID_ARGUMENT);
  });
  ExpectHarmless(result, kOpenStreamsBytes);
}

}  // namespace
}  // namespace igpt::testing
