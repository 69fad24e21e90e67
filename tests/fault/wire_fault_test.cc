// Faults that only show in HTTP/2's frames: requests that are compressed or damaged, and calls with two ends.
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/fault/fault_case.h"
#include "tests/support/await.h"
#include "tests/support/http2_client.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;

constexpr char kListPath[] = "/igpt.v1.DatasourcesService/List";
constexpr char kWatchPath[] = "/grpc.health.v1.Health/Watch";
constexpr char kReflectionPath[] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

std::string ListRequestFor(const std::string& user) {
  v1::ListRequest request;
  request.set_user(user);
  return request.SerializeAsString();
}

void AnswerLists(Exchange& exchange) {
  exchange.Answer(200, R"({"datasources":[]})");
}

bool AwaitEnd(Http2Client& client, uint32_t stream) {
  return client.Await([&] { return client.EndOf(stream) != nullptr; });
}

// gRPC refuses them by their headers, before anything is unpacked.
TEST(WireFaultTest, Row61_CompressedByAnAlgorithmThatIsNamed) {
  Igptd igptd({"--channelz"});
  igptd.upstream.OnRequest(AnswerLists);
  for (const std::string algorithm : {"gzip", "deflate"}) {
    for (const char* path : {kAskPath, kListPath, "/grpc.health.v1.Health/Check", kWatchPath, kReflectionPath,
                             "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                             "/grpc.channelz.v1.Channelz/GetServers", "/no.such.Service/Method"}) {
      for (const uint8_t flag : {0, 1}) {
        SCOPED_TRACE(absl::StrCat(algorithm, " ", path, " ", flag));
        Http2Client client(igptd.process->address());
        const uint32_t stream = client.Open(path, {{"grpc-encoding", algorithm}});
        client.Message(stream, ListRequestFor("ada"), flag);
        ASSERT_TRUE(AwaitEnd(client, stream));
        EXPECT_EQ(client.EndOf(stream)->grpc_status, StatusCode::UNIMPLEMENTED);
        EXPECT_TRUE(absl::StrContains(client.EndOf(stream)->trailers, absl::StrCat("'", algorithm, "' is disabled")));
      }
    }
  }
  EXPECT_TRUE(igptd.upstream.requests().empty());
}

// gRPC hands such a message over as it is.
TEST(WireFaultTest, Row61_CompressedByAnAlgorithmThatIsNotNamed) {
  const std::string gzipped("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xe3\x62\x49\x4c\x49\x04\x00", 17);
  const std::string deflated("\x78\x9c\xe3\x62\x49\x4c\x49\x04\x00\x03\x5f\x01\x37", 13);
  Igptd igptd({"--default_user=ada"});
  igptd.upstream.OnRequest(AnswerLists);
  for (const std::string& message : {gzipped, deflated}) {
    for (const Http2Client::Headers& headers :
         {Http2Client::Headers{}, {{"grpc-encoding", "identity"}}, {{"grpc-encoding", "snappy"}}}) {
      Http2Client client(igptd.process->address());
      const uint32_t stream = client.Open(kListPath, headers);
      client.Message(stream, message, /*flag=*/1);
      ASSERT_TRUE(AwaitEnd(client, stream));
      EXPECT_EQ(client.EndOf(stream)->grpc_status, StatusCode::INVALID_ARGUMENT);
      EXPECT_TRUE(absl::StrContains(client.EndOf(stream)->trailers, "compressed"));
    }
  }
  EXPECT_TRUE(igptd.upstream.requests().empty());
}

// However the frames arrive: gRPC sees the end of the request before or after the message.
TEST(WireFaultTest, Row62_AMessageWithAnIllegalFlag) {
  Igptd igptd({"--default_user=ada"});
  igptd.upstream.OnRequest(AnswerLists);
  v1::ListRequest request;
  request.set_include_raw(true);
  for (const char* path : {kListPath, kAskPath, "/igpt.v1.RecallService/Search"}) {
    for (const std::string& message : {std::string(), request.SerializeAsString(), ListRequestFor("ada")}) {
      for (const uint8_t flag : {2, 3, 0x7F, 0x80, 0xFF}) {
        for (const bool at_once : {true, false}) {
          SCOPED_TRACE(absl::StrCat(path, " ", message.size(), " ", flag, " ", at_once));
          Http2Client client(igptd.process->address());
          const uint32_t stream = client.Open(path);
          if (!at_once) {
            client.Ping();
            ASSERT_TRUE(client.Await([&] { return client.pongs() > 0; }));
          }
          client.Message(stream, message, flag);
          ASSERT_TRUE(AwaitEnd(client, stream));
          EXPECT_NE(client.EndOf(stream)->grpc_status, StatusCode::OK);
        }
      }
    }
  }
  EXPECT_TRUE(igptd.upstream.requests().empty());
}

TEST(WireFaultTest, Row62_AnEmptyMessageIsNoRequestOfTheDefaultUser) {
  Igptd igptd({"--default_user=ada"});
  igptd.upstream.OnRequest(AnswerLists);
  const auto empty = igptd.List({});
  EXPECT_THAT(empty.status, FailsWith(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  EXPECT_THAT(DetailsOf(empty.status).bad_fields, ::testing::ElementsAre("user"));
  EXPECT_TRUE(igptd.upstream.requests().empty());
  v1::ListRequest request;
  request.set_include_raw(true);
  EXPECT_THAT(igptd.List(request).status, IsOkStatus());
}

// How a call comes to its end.
struct Ending {
  std::string name;
  std::function<void(Exchange&)> upstream = {};
  const char* path = kAskPath;
  std::string timeout = {};  // grpc-timeout
  std::vector<std::string> flags = {};
  uint32_t window = 65'535;       // what the server may send before the client reads
  bool leave_open = false;        // the client sends no message
  bool reset_at_request = false;  // the client resets the stream: when iGPT has the request, or when it has data itself
  bool reset_at_data = false;
  bool drain = false;  // igptd is told to stop
  int status = StatusCode::OK;
};
void PrintTo(const Ending& ending, std::ostream* out) {
  *out << ending.name;
}

void AnswerAtOnce(Exchange& exchange) {
  exchange.Send(SseWhole({kRunStart, kRunDone}));
}
void StallMidStream(Exchange& exchange) {
  exchange.StartSse();
  exchange.SendSse(kRunStart);
  exchange.Stall();
}
void StallAtOnce(Exchange& exchange) {
  exchange.Stall();
}
void SendForever(Exchange& exchange) {
  exchange.StartSse();
  exchange.SendSse(kRunStart);
  while (exchange.SendSse(DeltaEvent(1, "a"))) {
  }
}

std::vector<Ending> Endings() {
  const std::vector<std::string> quick_stall = {"--stalled_reader_timeout=100ms", "--max_answer_bytes=1GiB"};
  const std::vector<std::string> large = {"--max_answer_bytes=1GiB"};
  return {
      {.name = "AWholeStream", .upstream = AnswerAtOnce},
      {.name = "AnAnswer", .upstream = AnswerLists, .path = kListPath},
      {.name = "AnError",
       .upstream = [](Exchange& exchange) { exchange.Answer(401, ""); },
       .status = StatusCode::FAILED_PRECONDITION},
      {.name = "AnErrorOfAList",
       .upstream = [](Exchange& exchange) { exchange.Answer(401, ""); },
       .path = kListPath,
       .status = StatusCode::FAILED_PRECONDITION},
      {.name = "AnUnknownMethod", .path = "/no.such.Service/Method", .status = StatusCode::UNIMPLEMENTED},
      {.name = "ADeadlineThatHasPassed",
       .upstream = StallAtOnce,
       .timeout = "1n",
       .status = StatusCode::DEADLINE_EXCEEDED},
      {.name = "ADeadlineBeforeAnyAnswer",
       .upstream = StallAtOnce,
       .timeout = "50m",
       .status = StatusCode::DEADLINE_EXCEEDED},
      {.name = "ADeadlineOfAList",
       .upstream = StallAtOnce,
       .path = kListPath,
       .timeout = "50m",
       .status = StatusCode::DEADLINE_EXCEEDED},
      {.name = "ADeadlineMidStream",
       .upstream = StallMidStream,
       .timeout = "50m",
       .status = StatusCode::DEADLINE_EXCEEDED},
      {.name = "ADeadlineAmongEvents",
       .upstream = SendForever,
       .timeout = "50m",
       .flags = large,
       .window = 1 << 30,
       .status = StatusCode::DEADLINE_EXCEEDED},
      {.name = "ADeadlineOfAReaderThatStopped",
       .upstream = SendForever,
       .timeout = "50m",
       .flags = large,
       .window = 10,
       .status = StatusCode::DEADLINE_EXCEEDED},
      {.name = "ADeadlineOfAWatch", .path = kWatchPath, .timeout = "50m", .status = StatusCode::DEADLINE_EXCEEDED},
      {.name = "ADeadlineOfAWatchThatNobodyReads",
       .path = kWatchPath,
       .timeout = "50m",
       .window = 5,  // the answer of a neighbour takes 5 bytes, that of the watch 7
       .status = StatusCode::DEADLINE_EXCEEDED},
      {.name = "ADeadlineOfReflection",
       .path = kReflectionPath,
       .timeout = "50m",
       .leave_open = true,
       .status = StatusCode::DEADLINE_EXCEEDED},
      {.name = "AReaderThatStopped",
       .upstream = SendForever,
       .flags = quick_stall,
       .window = 10,
       .status = StatusCode::RESOURCE_EXHAUSTED},
      {.name = "AResetBeforeAnyAnswer", .upstream = StallAtOnce, .reset_at_request = true},
      {.name = "AResetMidStream", .upstream = StallMidStream, .reset_at_data = true},
      {.name = "AResetOfAReaderThatStopped",
       .upstream = SendForever,
       .flags = large,
       .window = 10,
       .reset_at_data = true},
      {.name = "AResetOfAWatch", .path = kWatchPath, .reset_at_data = true},
      {.name = "TheDrain", .upstream = StallMidStream, .drain = true, .status = StatusCode::UNAVAILABLE},
  };
}

class EndingTest : public ::testing::TestWithParam<Ending> {};

// Makes the call a few times on one connection, and then other calls, so that what igptd sends late is seen too. A
// proxy that shares connections between its callers would take a second end for an error of the connection.
TEST_P(EndingTest, TheCallHasOneEnd) {
  const Ending& ending = GetParam();
  constexpr int kCalls = 20;
  const int calls = ending.drain ? 1 : kCalls;
  const bool reset = ending.reset_at_request || ending.reset_at_data;
  Igptd igptd(ending.flags);
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    // The calls that follow are those of another user.
    if (absl::StrContains(exchange.request().body, "neighbour")) return AnswerLists(exchange);
    ending.upstream(exchange);
  });
  Http2Client client(igptd.process->address(), {.stream_window = ending.window, .connection_window = 1 << 30});
  std::vector<uint32_t> streams;
  for (int i = 0; i < calls; ++i) {
    Http2Client::Headers metadata;
    if (!ending.timeout.empty()) metadata.emplace_back("grpc-timeout", ending.timeout);
    const uint32_t stream = streams.emplace_back(client.Open(ending.path, metadata));
    const size_t before = client.data_bytes();
    const std::string request = ending.path == kAskPath                  ? AskFor("ada", "?").SerializeAsString()
                                : absl::StartsWith(ending.path, "/igpt") ? ListRequestFor("ada")
                                                                         : std::string();
    if (!ending.leave_open) client.Message(stream, request);
    if (ending.reset_at_data || ending.drain) {
      ASSERT_TRUE(client.Await([&] { return client.data_bytes() > before; }));
    }
    if (ending.reset_at_request) {
      ASSERT_TRUE(client.Flush());
      ASSERT_TRUE(igptd.upstream.AwaitRequests(i + 1));
    }
    if (reset) client.Reset(stream);
    if (ending.drain) igptd.process->Signal(SIGTERM);
    ASSERT_TRUE(reset || AwaitEnd(client, stream));
  }
  ASSERT_TRUE(client.Flush());
  if (!ending.drain) {
    igptd.MetricsAtRest();
    for (int i = 0; i < 3; ++i) {
      const uint32_t neighbour = client.Open(kListPath);
      client.Message(neighbour, ListRequestFor("neighbour"));
      ASSERT_TRUE(AwaitEnd(client, neighbour));
      EXPECT_EQ(client.EndOf(neighbour)->grpc_status, StatusCode::OK);
    }
  }
  for (const uint32_t stream : streams) {
    const Http2Client::End* end = client.EndOf(stream);
    if (reset) {
      EXPECT_EQ(end, nullptr) << "the client had ended the stream itself";
      continue;
    }
    ASSERT_NE(end, nullptr);
    EXPECT_EQ(end->grpc_status, ending.status);
    EXPECT_EQ(end->end_streams, 1);
    EXPECT_LE(end->resets, 1);
    EXPECT_EQ(end->reset.value_or(0), 0) << "NO_ERROR";
  }
  EXPECT_FALSE(client.goaway().has_value() && !ending.drain);
}

INSTANTIATE_TEST_SUITE_P(Row63, EndingTest, ::testing::ValuesIn(Endings()),
                         [](const auto& ending) { return "Row63_" + ending.param.name; });

}  // namespace
}  // namespace igpt::testing
