// Streams and connections that break over HTTP/2: OK is never guessed, nothing is repeated, and what provably was not
// processed is sent again.
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/sdk/sdk_http2_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::SizeIs;

// Each code of RFC 9113, and one of nobody.
constexpr uint32_t kCodes[] = {NGHTTP2_NO_ERROR,
                               NGHTTP2_PROTOCOL_ERROR,
                               NGHTTP2_INTERNAL_ERROR,
                               NGHTTP2_FLOW_CONTROL_ERROR,
                               NGHTTP2_SETTINGS_TIMEOUT,
                               NGHTTP2_STREAM_CLOSED,
                               NGHTTP2_FRAME_SIZE_ERROR,
                               NGHTTP2_REFUSED_STREAM,
                               NGHTTP2_CANCEL,
                               NGHTTP2_COMPRESSION_ERROR,
                               NGHTTP2_CONNECT_ERROR,
                               NGHTTP2_ENHANCE_YOUR_CALM,
                               NGHTTP2_INADEQUATE_SECURITY,
                               NGHTTP2_HTTP_1_1_REQUIRED,
                               0xFEEDU};

class Http2ResetTest : public Http2Test, public ::testing::WithParamInterface<uint32_t> {
 protected:
  // libcurl sends nothing more on a connection that refused a stream, or that asked for HTTP/1.1.
  static bool ConnectionLives() {
    return GetParam() != NGHTTP2_REFUSED_STREAM && GetParam() != NGHTTP2_HTTP_1_1_REQUIRED;
  }
};
INSTANTIATE_TEST_SUITE_P(Codes, Http2ResetTest, ::testing::ValuesIn(kCodes), [](const auto& code) {
  return code.param == 0xFEEDU ? "UNKNOWN" : std::string(nghttp2_http2_strerror(code.param));
});

// With NO_ERROR, libcurl says that all is well.
TEST_P(Http2ResetTest, WithinAStreamItIsTruncated) {
  // Without a run, the events would be whole when the body is.
  for (const std::string& first : {std::string(kRunStart), std::string(R"({"type":"note","seq":0})")}) {
    ScriptedHttp2Server server;
    server.OnNextRequest([&](const Http2Stream& stream) {
      stream.StartSse();
      stream.SendSse(first, DeltaEvent(1));
      stream.Reset(GetParam());
    });
    server.OnRequest(WholeHttp2Run());
    const std::unique_ptr<Client> client = MakeClient(Http2Options(server));
    const Reading reading = AskAll(*client);
    EXPECT_THAT(reading.events, ElementsAre(first, DeltaEvent(1)));
    EXPECT_THAT(reading.end, IsError(ErrorKind::kTruncated));
    EXPECT_THAT(server.requests(), SizeIs(1));
    EXPECT_THAT(AskAll(*client), EndsProperly());
    if (ConnectionLives()) {
      EXPECT_EQ(server.requests()[1].connection(), 1);
    }
  }
}

TEST_P(Http2ResetTest, WithinAnAnswerIsNeverOk) {
  for (const bool has_length : {false, true}) {
    ScriptedHttp2Server server;
    server.OnRequest([&](const Http2Stream& stream) {
      HttpHeaders headers = {{"content-type", "application/json"}};
      if (has_length) headers.emplace_back("content-length", "13");
      stream.SendHead(200, headers);
      stream.Send(R"({"results":[)");
      stream.Reset(GetParam());
    });
    const std::unique_ptr<Client> client = MakeClient(Http2Options(server, 1));
    EXPECT_THAT(client->recall().Search({}), Not(IsOk())) << has_length;
    EXPECT_THAT(client->connectors().Authorize(ConnectSpike()), Not(IsOk())) << has_length;
    EXPECT_THAT(server.requests(), SizeIs(2));
  }
}

TEST_P(Http2ResetTest, BeforeTheAnswerReadingCallsAreSentAgain) {
  ScriptedHttp2Server server;
  server.OnNextRequest(ResetHttp2(GetParam()));
  server.OnRequest(RespondHttp2("[]"));
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server));
  const absl::StatusOr<SearchAnswer> answer = client->recall().Search({});
  // Then libcurl goes on with HTTP/1.1, which this server hasn't.
  if (GetParam() == NGHTTP2_HTTP_1_1_REQUIRED) return;
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->call.attempts, 2);
  ASSERT_THAT(server.requests(), SizeIs(2));
  EXPECT_EQ(server.requests()[0].request().body, server.requests()[1].request().body);
}

TEST_P(Http2ResetTest, BeforeTheAnswerOthersAreSentAgainOnlyIfRefused) {
  ScriptedHttp2Server server;
  server.OnNextRequest(ResetHttp2(GetParam()));
  server.OnNextRequest(RespondHttp2(kAuthorized));
  server.OnNextRequest(ResetHttp2(GetParam()));
  server.OnRequest(RespondHttp2("{}"));
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server));
  const absl::Status authorized = client->connectors().Authorize(ConnectSpike()).status();
  if (GetParam() == NGHTTP2_REFUSED_STREAM) {
    EXPECT_THAT(authorized, IsOk());
    EXPECT_THAT(client->datasources().Disconnect(DisconnectSpike()), IsOk());
    EXPECT_THAT(server.requests(), SizeIs(4));
    return;
  }
  EXPECT_THAT(authorized, IsError(ErrorKind::kNetwork));
  EXPECT_EQ(ErrorOf(authorized)->call.attempts, 1);
  EXPECT_THAT(server.requests(), SizeIs(1));
}

using Http2FaultTest = Http2Test;

TEST_F(Http2FaultTest, AStreamThatIsAlwaysRefusedIsSentUpToMaxRetries) {
  ScriptedHttp2Server server;
  server.OnRequest(ResetHttp2(NGHTTP2_REFUSED_STREAM));
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server));
  for (const absl::Status& status :
       {client->recall().Search({}).status(), client->connectors().Authorize(ConnectSpike()).status()}) {
    EXPECT_THAT(status, IsError(ErrorKind::kNetwork));
    EXPECT_EQ(ErrorOf(status)->call.attempts, 3);
  }
  EXPECT_THAT(server.requests(), SizeIs(6));
}

TEST_F(Http2FaultTest, WhatAGoAwayLeavesOutIsSentAgain) {
  for (const uint32_t code : {uint32_t{NGHTTP2_NO_ERROR}, uint32_t{NGHTTP2_ENHANCE_YOUR_CALM}}) {
    for (const bool cut : {false, true}) {
      ScriptedHttp2Server server;
      const Http2Handler leave = [&](const Http2Stream& stream) {
        stream.GoAway(0, code);
        if (cut) stream.Close();
      };
      server.OnNextRequest(leave);
      server.OnNextRequest(RespondHttp2(kAuthorized));
      server.OnNextRequest(leave);
      server.OnNextRequest(RespondHttp2("{}"));
      server.OnNextRequest(leave);
      server.OnRequest(WholeHttp2Run());
      EXPECT_THAT(MakeClient(Http2Options(server))->connectors().Authorize(ConnectSpike()), IsOk());
      EXPECT_THAT(MakeClient(Http2Options(server))->datasources().Disconnect(DisconnectSpike()), IsOk());
      EXPECT_THAT(AskAll(*MakeClient(Http2Options(server))), EndsProperly());
      EXPECT_THAT(server.requests(), SizeIs(6));
    }
  }
}

TEST_F(Http2FaultTest, WhatAGoAwayIncludesGoesOn) {
  ScriptedHttp2Server server;
  server.OnNextRequest([](const Http2Stream& stream) {
    stream.StartSse();
    stream.SendSse(kRunStart);
    stream.GoAway(stream.id());
    stream.SendSse(DeltaEvent(1), kRunDone);
    stream.End();
  });
  server.OnNextRequest([](const Http2Stream& stream) {
    WholeHttp2Run()(stream);
    stream.GoAway(stream.id());
  });
  server.OnRequest(WholeHttp2Run());
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server));
  for (int connection = 1; connection <= 3; ++connection) {
    const Reading reading = AskAll(*client);
    EXPECT_THAT(reading, EndsProperly());
    EXPECT_THAT(reading.events, ElementsAre(kRunStart, DeltaEvent(1), kRunDone));
    EXPECT_EQ(server.requests().back().connection(), connection);
  }
  EXPECT_THAT(server.requests(), SizeIs(3));
}

TEST_F(Http2FaultTest, AGoAwayThatTakesAnAnswerBackIsNoReasonToRepeatIt) {
  ScriptedHttp2Server server;
  server.OnRequest([](const Http2Stream& stream) {
    stream.StartSse();
    stream.SendSse(kRunStart);
    stream.GoAway(0);
  });
  const Reading reading = AskAll(*MakeClient(Http2Options(server)));
  EXPECT_THAT(reading.events, ElementsAre(kRunStart));
  EXPECT_THAT(reading.end, IsError(ErrorKind::kTruncated));
  EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST_F(Http2FaultTest, AnEarlyEndIsTruncated) {
  ScriptedHttp2Server server;
  server.OnRequest([](const Http2Stream& stream) {
    stream.StartSse();
    stream.SendSse(kRunStart);
    stream.End();
  });
  const Reading reading = AskAll(*MakeClient(Http2Options(server)));
  EXPECT_THAT(reading.events, ElementsAre(kRunStart));
  EXPECT_THAT(reading.end, IsError(ErrorKind::kTruncated));
}

// A body that isn't as long as the head says.
TEST_F(Http2FaultTest, AWrongLengthIsNeverOk) {
  for (const char* length : {"1", "3", "1000"}) {
    ScriptedHttp2Server server;
    server.OnRequest([&](const Http2Stream& stream) {
      stream.SendHead(200, {{"content-type", "application/json"}, {"content-length", length}});
      stream.Send("[]", /*end=*/true);
    });
    const std::unique_ptr<Client> client = MakeClient(Http2Options(server, 1));
    EXPECT_THAT(client->recall().Search({}), IsError(ErrorKind::kNetwork)) << length;
  }
}

TEST_F(Http2FaultTest, AHeadAloneIsNoAnswer) {
  ScriptedHttp2Server server;
  server.OnRequest([](const Http2Stream& stream) {
    stream.SendHead(200, {{"content-type", "text/event-stream"}}, /*end=*/true);
  });
  EXPECT_THAT(AskAll(*MakeClient(Http2Options(server))).end, IsError(ErrorKind::kProtocol));
}

TEST_F(Http2FaultTest, InterimAnswersAreNoAnswers) {
  ScriptedHttp2Server server;
  server.OnRequest([](const Http2Stream& stream) {
    stream.SendInterim(100);
    stream.SendInterim(103);
    WholeHttp2Run()(stream);
  });
  EXPECT_THAT(AskAll(*MakeClient(Http2Options(server))), EndsProperly());
}

// A hundred streams whose connections are cut: some have events, the others no answer yet.
TEST_F(Http2FaultTest, CutConnectionsEndTheirStreamsAlone) {
  constexpr size_t kStreams = 100;
  std::atomic<size_t> handled = 0;
  std::atomic<size_t> answered = 0;
  ScriptedHttp2Server server;
  server.OnNextRequest(WholeHttp2Run());
  server.OnRequest([&](const Http2Stream& stream) {
    if (stream.id() % 4 == 1) {
      stream.StartSse();
      stream.SendSse(kRunStart);
      ++answered;
    }
    ++handled;
  });
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server));
  EXPECT_THAT(AskAll(*client), EndsProperly());
  std::vector<EventStream> streams;
  for (size_t i = 0; i < kStreams; ++i) streams.push_back(client->recall().AskStream(Question()));
  ASSERT_TRUE(server.Await([&] { return handled == kStreams; }));
  EXPECT_LT(server.connections(), 10);
  server.OnRequest(WholeHttp2Run());
  for (const Http2Stream& stream : server.requests()) stream.Close();
  size_t truncated = 0;
  for (EventStream& stream : streams) {
    const Reading reading = ReadAll(stream);
    if (reading.events.size() == 1) {
      ++truncated;
      EXPECT_THAT(reading.end, IsError(ErrorKind::kTruncated));
    } else if (reading.proper()) {
      EXPECT_THAT(reading.events, ElementsAre(kRunStart, DeltaEvent(1), kRunDone));
    } else {
      EXPECT_THAT(reading.end, IsError(ErrorKind::kNetwork)) << "there is no budget for that many retries";
      EXPECT_THAT(reading.events, SizeIs(0));
    }
  }
  EXPECT_EQ(truncated, answered);
  EXPECT_THAT(AskAll(*client), EndsProperly());
}

TEST_F(Http2FaultTest, ACutConnectionIsNoReasonToRepeatWhatChangesSomething) {
  ScriptedHttp2Server server;
  server.OnRequest([](const Http2Stream& stream) { stream.Cut(); });
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server));
  EXPECT_THAT(client->connectors().Authorize(ConnectSpike()), IsError(ErrorKind::kNetwork));
  EXPECT_THAT(client->datasources().Disconnect(DisconnectSpike()), IsError(ErrorKind::kNetwork));
  EXPECT_THAT(server.requests(), SizeIs(2));
}

}  // namespace
}  // namespace igpt::testing
