#include "igpt/testing/scripted_http_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "igpt/monotonic_time.h"
#include "igpt/testing/event.h"
#include "igpt/testing/internal/await_fd.h"
#include "igpt/testing/internal/unique_fd.h"
#include "tests/support/thread_signals.h"

namespace igpt::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Pair;
using ::testing::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\n\r\n";

// A plain socket. Reads fail with "<timeout>" after kWaitLimit instead of hanging.
class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit = {.tv_sec = absl::ToInt64Seconds(kWaitLimit), .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  bool connected() const { return connected_; }

  void Send(std::string_view bytes) {
    ASSERT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

  // Reads up to and including `end`, or less if the connection ends before.
  std::string ReadUntil(std::string_view end) {
    while (!received_.ends_with(end) && Receive(1)) {
    }
    return std::exchange(received_, {});
  }

  // Reads to the end of the connection; "<reset>" at the end distinguishes a RST from a FIN.
  std::string ReadToEnd() {
    while (Receive(64 << 10)) {
    }
    return std::exchange(received_, {});
  }

  void CloseSending() { ::shutdown(socket_.get(), SHUT_WR); }
  void Close() { socket_.Close(); }

 private:
  bool Receive(size_t most) {
    std::string piece(most, '\0');
    const ssize_t size = ::recv(socket_.get(), piece.data(), most, 0);
    if (size > 0) received_.append(piece, 0, static_cast<size_t>(size));
    if (size < 0) received_ += errno == ECONNRESET ? "<reset>" : "<timeout>";
    return size > 0;
  }

  UniqueFd socket_;
  bool connected_ = false;
  std::string received_;
};

TEST(ScriptedHttpServerTest, RecordsRequestsExactly) {
  const std::string head =
      "POST /v1/recall/ask/?a=b%20c HTTP/1.1\r\nHost: x\r\nx-Twice: 1\r\nX-TWICE:\t2 \r\nContent-Length: 7\r\n\r\n";
  ScriptedHttpServer server;
  Client client(server.port());
  client.Send(head.substr(0, 20));
  client.Send(head.substr(20));
  client.Send(std::string_view("{\0\r\n\r\n}", 7));
  ASSERT_TRUE(server.AwaitRequests(1));

  const HttpRequest request = server.requests()[0];
  EXPECT_EQ(request.connection, 1);
  EXPECT_EQ(request.head, head);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/v1/recall/ask/?a=b%20c");
  EXPECT_THAT(request.headers,
              ElementsAre(Pair("Host", "x"), Pair("x-Twice", "1"), Pair("X-TWICE", "2"), Pair("Content-Length", "7")));
  EXPECT_EQ(request.Header("x-twice"), "1");
  EXPECT_EQ(request.Header("Authorization"), std::nullopt);
  EXPECT_EQ(request.body, std::string_view("{\0\r\n\r\n}", 7));
}

TEST(ScriptedHttpServerTest, QueuedHandlersComeBeforeTheDefault) {
  ScriptedHttpServer server;
  Client client(server.port());
  client.Send(kGet);
  EXPECT_THAT(client.ReadUntil("handler"), StartsWith("HTTP/1.1 404 "));

  server.OnRequest([](Exchange& exchange) { exchange.Answer(200, "default"); });
  server.OnNextRequest([](Exchange& exchange) { exchange.Answer(200, "first"); });
  server.OnNextRequest([](Exchange& exchange) { exchange.Answer(200, "second"); });
  for (const std::string body : {"first", "second", "default", "default"}) {
    client.Send(kGet);
    EXPECT_EQ(client.ReadUntil("\r\n\r\n" + body),
              "HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                  "\r\n\r\n" + body);
  }
  EXPECT_EQ(server.requests().size(), 5u);
  EXPECT_EQ(server.connections(), 1);
}

TEST(ScriptedHttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  ScriptedHttpServer server;
  server.OnRequest([](Exchange& exchange) {
    exchange.Send(exchange.request().target + exchange.request().body + ".");
    if (exchange.request().target == "/2") exchange.Close();
  });
  Client client(server.port());
  client.Send("POST /1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nabPOST /2 HTTP/1.1\r\ncontent-length: 1\r\n\r\nc");
  EXPECT_EQ(client.ReadToEnd(), "/1ab./2c.");
}

TEST(ScriptedHttpServerTest, ConnectionsAreNumberedAndServedAtTheSameTime) {
  Event go_on;
  ScriptedHttpServer server;
  server.OnRequest([&](Exchange& exchange) {
    if (exchange.request().connection == 1) exchange.WaitFor(go_on);
    exchange.Send(std::to_string(exchange.request().connection));
    exchange.Close();
  });
  Client first(server.port());
  first.Send(kGet);
  ASSERT_TRUE(server.AwaitRequests(1));
  Client second(server.port());
  second.Send(kGet);
  EXPECT_EQ(second.ReadToEnd(), "2");
  go_on.Set();
  EXPECT_EQ(first.ReadToEnd(), "1");
  EXPECT_EQ(server.connections(), 2);
}

// What each step puts on the wire.
TEST(ScriptedHttpServerTest, StepsSendTheseBytes) {
  struct Case {
    const char* name;
    Handler handler;
    std::string wire;
  };
  const std::string sixteen(16, 'x');
  const Case cases[] = {
      {"nothing", [](Exchange&) {}, ""},
      {"bytes", [](Exchange& e) { e.Send("HTTP/1.1 2"); }, "HTTP/1.1 2"},
      {"bytewise", [](Exchange& e) { e.SendBytewise("data: é\n\n"); }, "data: é\n\n"},
      {"head",
       [](Exchange& e) {
         e.SendHead(503, {{"Retry-After", "1"}, {"A", ""}});
       },
       "HTTP/1.1 503 \r\nRetry-After: 1\r\nA: \r\n\r\n"},
      {"chunks",
       [&](Exchange& e) {
         e.SendChunk("a");
         e.SendChunk(sixteen);
         e.EndChunked();
       },
       "1\r\na\r\n10\r\n" + sixteen + "\r\n0\r\n\r\n"},
      {"answer", [](Exchange& e) { e.Answer(429, "no", {}); }, "HTTP/1.1 429 \r\nContent-Length: 2\r\n\r\nno"},
      {"SSE",
       [](Exchange& e) {
         e.StartSse();
         e.SendSse("{}", std::string("[1]"));
       },
       "HTTP/1.1 200 \r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
       "a\r\ndata: {}\n\n\r\nb\r\ndata: [1]\n\n\r\n"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ScriptedHttpServer server;
    server.OnRequest([&](Exchange& exchange) {
      c.handler(exchange);
      exchange.Close();
    });
    Client client(server.port());
    client.Send(kGet);
    EXPECT_EQ(client.ReadToEnd(), c.wire);
  }
}

TEST(ScriptedHttpServerTest, WaitForHoldsTheScript) {
  Event go_on;
  ScriptedHttpServer server;
  server.OnRequest([&](Exchange& exchange) {
    exchange.Send("before|");
    EXPECT_TRUE(exchange.WaitFor(go_on));
    exchange.Send("after|");
  });
  Client client(server.port());
  client.Send(kGet);
  EXPECT_EQ(client.ReadUntil("|"), "before|");
  go_on.Set();
  EXPECT_EQ(client.ReadUntil("|"), "after|");
}

TEST(ScriptedHttpServerTest, CloseDeliversEverythingAndEndsInOrder) {
  const std::string large(8 << 20, 'x');
  ScriptedHttpServer server;
  server.OnRequest([&](Exchange& exchange) {
    EXPECT_TRUE(exchange.Send(large));
    exchange.Close();
    EXPECT_FALSE(exchange.Send("more"));
  });
  Client client(server.port());
  // Data that the server never reads must not turn its FIN into a RST.
  client.Send(std::string(kGet) + "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nunread");
  EXPECT_EQ(client.ReadToEnd(), large);
  EXPECT_EQ(server.closed_at(1), std::nullopt);
  client.Close();
  EXPECT_TRUE(server.AwaitClosed(1));
}

TEST(ScriptedHttpServerTest, ResetBreaksTheConnection) {
  ScriptedHttpServer server;
  server.OnRequest([&](Exchange& exchange) {
    exchange.Reset();
    EXPECT_FALSE(exchange.Send("more"));
    EXPECT_TRUE(exchange.AwaitPeerClosed());
  });
  Client client(server.port());
  client.Send(kGet);
  EXPECT_EQ(client.ReadToEnd(), "<reset>");
  EXPECT_TRUE(server.AwaitClosed(1));
}

TEST(ScriptedHttpServerTest, StallLastsUntilThePeerCloses) {
  Event over;
  ScriptedHttpServer server;
  server.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.Stall();
    over.Set();
  });
  Client client(server.port());
  client.Send(kGet);
  client.ReadUntil("\r\n\r\n");
  EXPECT_FALSE(over.IsSet());
  EXPECT_FALSE(server.AwaitClosed(1, absl::ZeroDuration()));
  const MonotonicTime before = MonotonicTime::Now();
  client.Close();
  EXPECT_TRUE(server.AwaitClosed(1));
  EXPECT_GE(server.closed_at(1), before);
  EXPECT_TRUE(over.Await());
}

TEST(ScriptedHttpServerTest, SeesThePeerCloseWhileTheScriptWaitsForSomethingElse) {
  Event go_on;
  ScriptedHttpServer server;
  server.OnRequest([&](Exchange& exchange) { exchange.WaitFor(go_on); });
  auto client = std::make_unique<Client>(server.port());
  client->Send(kGet);
  ASSERT_TRUE(server.AwaitRequests(1));
  client.reset();
  EXPECT_TRUE(server.AwaitClosed(1));
  go_on.Set();
}

TEST(ScriptedHttpServerTest, APeerThatClosedItsSideStillGetsItsAnswer) {
  ScriptedHttpServer server;
  server.OnRequest([](Exchange& exchange) {
    EXPECT_TRUE(exchange.AwaitPeerClosed());
    EXPECT_TRUE(exchange.Send("late"));
  });
  Client client(server.port());
  client.Send(kGet);
  client.CloseSending();
  EXPECT_EQ(client.ReadToEnd(), "late");
}

TEST(ScriptedHttpServerTest, SendingFailsOnceThePeerIsGone) {
  Event failed;
  ScriptedHttpServer server;
  server.OnRequest([&](Exchange& exchange) {
    while (exchange.SendSse("{}")) {
    }
    failed.Set();
  });
  Client client(server.port());
  client.Send(kGet);
  client.ReadUntil("{}");
  client.Close();
  EXPECT_TRUE(failed.Await());
}

TEST(ScriptedHttpServerTest, SendUntilBlockedCountsWhatAReaderThatStoppedLetsThrough) {
  constexpr size_t kLimit = 256 << 20;
  const std::string piece = std::string(9999, 'x') + "|";
  Event blocked;
  size_t sent = 0;
  ScriptedHttpServer server;
  server.OnRequest([&](Exchange& exchange) {
    sent = exchange.SendUntilBlocked(piece, kLimit, absl::Milliseconds(50));
    blocked.Set();
    EXPECT_TRUE(exchange.Send("<end>"));
    exchange.Close();
  });
  Client client(server.port());
  client.Send(kGet);
  ASSERT_TRUE(blocked.Await());
  EXPECT_GT(sent, 0u);
  EXPECT_LT(sent, kLimit);

  // The piece that was cut was completed before the end, and nothing is missing.
  const std::string received = client.ReadToEnd();
  const size_t pieces = (sent + piece.size() - 1) / piece.size();
  std::string expected;
  for (size_t i = 0; i < pieces; ++i) expected += piece;
  EXPECT_TRUE(received == expected + "<end>") << received.size() << " bytes after " << sent;
}

TEST(ScriptedHttpServerTest, SendUntilBlockedReachesItsLimitWithAReaderThatReads) {
  constexpr size_t kLimit = 16 << 20;
  ScriptedHttpServer server;
  server.OnRequest([&](Exchange& exchange) {
    EXPECT_EQ(exchange.SendUntilBlocked(std::string(64 << 10, 'x'), kLimit, kWaitLimit), kLimit);
    exchange.Close();
  });
  Client client(server.port());
  client.Send(kGet);
  EXPECT_EQ(client.ReadToEnd().size(), kLimit);
}

TEST(ScriptedHttpServerTest, EndsAConnectionThatIsNotHttp) {
  const std::string_view cases[] = {
      "hello\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "GET  / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nno colon\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  };
  for (const std::string_view bytes : cases) {
    SCOPED_TRACE(bytes);
    ScriptedHttpServer server;
    Client client(server.port());
    client.Send(bytes);
    EXPECT_EQ(client.ReadToEnd(), "");
    EXPECT_TRUE(server.requests().empty());
  }
}

TEST(ScriptedHttpServerTest, ARequestThatIsCutIsNotRecorded) {
  ScriptedHttpServer server;
  Client client(server.port());
  client.Send("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
  client.Close();
  ASSERT_TRUE(server.AwaitClosed(1));
  EXPECT_FALSE(server.AwaitRequests(1, absl::ZeroDuration()));
}

// If this fails, the test hangs.
TEST(ScriptedHttpServerTest, StoppingEndsEveryScript) {
  const Event never;
  const Handler scripts[] = {
      [](Exchange& e) { e.Stall(); },
      [&](Exchange& e) { EXPECT_FALSE(e.WaitFor(never)); },
      [](Exchange& e) { EXPECT_FALSE(e.AwaitPeerClosed(absl::InfiniteDuration())); },
      [](Exchange& e) {
        while (e.Send(std::string(1 << 20, 'x'))) {
        }
      },
      [](Exchange& e) { e.SendUntilBlocked("x", SIZE_MAX, absl::InfiniteDuration()); },
      [](Exchange& e) { e.Close(); },
      [](Exchange& e) { e.Reset(); },
      [](Exchange&) {},
  };
  for (const Handler& script : scripts) {
    auto server = std::make_unique<ScriptedHttpServer>();
    server->OnRequest(script);
    Client client(server->port());
    client.Send(kGet);
    ASSERT_TRUE(server->AwaitRequests(1));
    Client idle(server->port());
    ASSERT_TRUE(server->AwaitConnections(2));
    server.reset();  // while both clients are still connected
  }
}

TEST(ScriptedHttpServerTest, NeverReadAcceptsAndSeesTheEnd) {
  ScriptedHttpServer server(ScriptedHttpServer::Mode::kNeverRead);
  Client client(server.port());
  ASSERT_TRUE(client.connected());
  client.Send(kGet);
  ASSERT_TRUE(server.AwaitConnections(1));
  EXPECT_FALSE(server.AwaitClosed(1, absl::ZeroDuration()));
  client.Close();
  EXPECT_TRUE(server.AwaitClosed(1));
  EXPECT_TRUE(server.requests().empty());
}

TEST(ScriptedHttpServerTest, RefuseRefusesOnAPortThatStaysTaken) {
  ScriptedHttpServer server(ScriptedHttpServer::Mode::kRefuse);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(Client(server.port()).connected());
    EXPECT_EQ(errno, ECONNREFUSED);
  }
}

TEST(ScriptedHttpServerTest, NoHandshakeLeavesConnectHanging) {
  ScriptedHttpServer server(ScriptedHttpServer::Mode::kNoHandshake);
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server.port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), -1);
  EXPECT_EQ(errno, EINPROGRESS);
  // Over loopback, a connection succeeds or is refused at once, unless the handshake is left hanging.
  EXPECT_FALSE(AwaitFd(socket.get(), POLLOUT, absl::ZeroDuration()));
}

TEST(ScriptedHttpServerTest, WaitsEndAtTheirLimit) {
  ScriptedHttpServer server;
  EXPECT_FALSE(server.AwaitRequests(1, absl::Milliseconds(1)));
  EXPECT_FALSE(server.AwaitConnections(1, absl::Milliseconds(1)));
  EXPECT_FALSE(server.AwaitClosed(1, absl::Milliseconds(1)));
  EXPECT_FALSE(Event().Await(absl::Milliseconds(1)));
  EXPECT_EQ(server.closed_at(1), std::nullopt);
}

TEST(ScriptedHttpServerTest, WaitsWithoutALimit) {
  ScriptedHttpServer server;
  Event waiting;
  std::thread waiter([&] {
    waiting.Set();
    EXPECT_TRUE(server.AwaitRequests(1, absl::InfiniteDuration()));
  });
  ASSERT_TRUE(waiting.Await());
  Client client(server.port());
  client.Send(kGet);
  waiter.join();
}

TEST(ScriptedHttpServerTest, ItsThreadsTakeNoSignals) {
  ScriptedHttpServer server;
  Client client(server.port());
  ASSERT_TRUE(server.AwaitConnections(1));
  ExpectOtherThreadsTakeNoSignals();
}

TEST(ScriptedHttpServerTest, UrlNamesThePort) {
  const ScriptedHttpServer server;
  EXPECT_EQ(server.url(), "http://127.0.0.1:" + std::to_string(server.port()));
  EXPECT_THAT(server.url("/v1"), EndsWith("/v1"));
}

}  // namespace
}  // namespace igpt::testing
