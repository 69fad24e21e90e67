// A recorded stream, split and cut at every offset, through a socket.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

// A piece of the recording, and the event that is complete once its last byte (of a CRLF: the CR) has arrived.
struct Piece {
  std::string_view text;
  std::string_view event = "";
};

// Every kind of line end, comments, ignored fields, data on several lines, multi-byte UTF-8.
constexpr Piece kRecording[] = {
    {"\xEF\xBB\xBF: a comment\n\n"},
    {"data: {\"type\":\"run.start\",\"seq\":0,\"id\":\"r1\"}\n\n", R"({"type":"run.start","seq":0,"id":"r1"})"},
    {"event: x\r\ndata: {\"seq\":1,\"delta\":\"Grüße \"}\r\n\r\n", R"({"seq":1,"delta":"Grüße "})"},
    {"id: 7\nretry: 10\n\n"},
    {"data: {\"seq\":2,\ndata: \"delta\":\"€ \"}\n\n", "{\"seq\":2,\n\"delta\":\"€ \"}"},
    {"data: {\"type\":\"run.turn.start\",\"turn\":1}\n\n", R"({"type":"run.turn.start","turn":1})"},
    {"data: "
     "{\"type\":\"run.tool_call_item\",\"item\":{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":\"{\"}}\n\n",
     R"({"type":"run.tool_call_item","item":{"type":"function_call","name":"f","arguments":"{"}})"},
    {"data:{\"type\":\"new\",\"n\":18446744073709551617}\r\r", R"({"type":"new","n":18446744073709551617})"},
    {":\r\n"},
    {"data: {\"seq\":4,\"delta\":\"\xF0\x9F\x98\x80\"}\n\n", "{\"seq\":4,\"delta\":\"\xF0\x9F\x98\x80\"}"},
    {"data: {\"type\":\"run.done\",\"seq\":5,\"output\":\"Grüße\"}\n\n",
     R"({"type":"run.done","seq":5,"output":"Grüße"})"},
    {"data: [DONE]\n\n"},
};

std::string Text() {
  std::string text;
  for (const Piece& piece : kRecording) text += piece.text;
  return text;
}

// The events that are complete within the first `size` bytes.
std::vector<std::string> WholeEvents(size_t size) {
  std::vector<std::string> events;
  size_t end = 0;
  for (const Piece& piece : kRecording) {
    end += piece.text.size();
    const size_t last = piece.text.ends_with("\r\n") ? end - 1 : end;
    if (!piece.event.empty() && last <= size) events.emplace_back(piece.event);
  }
  return events;
}
const size_t kEvents = WholeEvents(Text().size()).size();

// An answer to Ask, or to Run.
using Start = EventStream (*)(Client& client);

class RecordingTest : public ::testing::TestWithParam<Start> {
 protected:
  Reading Ask(Handler handler) {
    server_.OnNextRequest(std::move(handler));
    return ReadAll(GetParam()(*client_));
  }

  const std::string text_ = Text();
  ScriptedHttpServer server_;
  const std::unique_ptr<Client> client_ = MakeClient(OptionsFor(server_));
};

INSTANTIATE_TEST_SUITE_P(Each, RecordingTest,
                         ::testing::Values([](Client& client) { return client.recall().AskStream(Question()); },
                                           [](Client& client) {
                                             return client.recall().RunStream(Question<RunRequest>());
                                           }),
                         [](const auto& start) { return start.index == 0 ? "Ask" : "Run"; });

TEST_P(RecordingTest, EveryTwoWaySplitGivesTheSameEvents) {
  for (size_t split = 1; split < text_.size(); ++split) {
    const Reading reading = Ask([&, split](Exchange& exchange) {
      exchange.StartSse();
      exchange.SendChunk(text_.substr(0, split));
      exchange.SendChunk(text_.substr(split));
      exchange.EndChunked();
    });
    ASSERT_THAT(reading, EndsProperly()) << split;
    ASSERT_EQ(reading.events, WholeEvents(text_.size())) << split;
  }
  EXPECT_EQ(server_.connections(), 1);
}

TEST_P(RecordingTest, EveryChunkSizeGivesTheSameEvents) {
  for (size_t size = 1; size <= text_.size(); size = std::max(size + 1, size * 5 / 4)) {
    const Reading reading = Ask([&, size](Exchange& exchange) {
      exchange.StartSse();
      for (size_t at = 0; at < text_.size(); at += size) exchange.SendChunk(text_.substr(at, size));
      exchange.EndChunked();
    });
    ASSERT_THAT(reading, EndsProperly()) << size;
    ASSERT_EQ(reading.events, WholeEvents(text_.size())) << size;
  }
}

TEST_P(RecordingTest, EveryByteOfTheAnswerInASegmentOfItsOwn) {
  const Reading reading = Ask([&](Exchange& exchange) {
    exchange.SendBytewise(Head(200, {{"Content-Type", "text/event-stream"}, {"Transfer-Encoding", "chunked"}}));
    exchange.SendBytewise(Chunk(text_));
    exchange.SendBytewise(kLastChunk);
  });
  EXPECT_THAT(reading, EndsProperly());
  EXPECT_EQ(reading.events, WholeEvents(text_.size()));
}

// Checks what was read from a stream that was cut after `size` bytes, perhaps within an event.
void ExpectCut(const Reading& reading, size_t size, ErrorKind without_event) {
  const std::vector<std::string> whole = WholeEvents(size);
  ASSERT_EQ(reading.events, whole) << size;
  if (whole.size() == kEvents) {
    ASSERT_THAT(reading, EndsProperly()) << size;
  } else if (whole.empty()) {
    ASSERT_THAT(reading.end, IsError(without_event)) << size;
  } else {
    ASSERT_THAT(reading.end, IsError(ErrorKind::kTruncated)) << size;
    ASSERT_EQ(reading.error().events_delivered, static_cast<int64_t>(whole.size())) << size;
  }
}

TEST_P(RecordingTest, CutWithinAChunk) {
  for (size_t cut = 0; cut < text_.size(); ++cut) {
    const Reading reading = Ask([&, cut](Exchange& exchange) {
      exchange.StartSse();
      exchange.Send(Chunk(text_).substr(0, Chunk(text_).find('\n') + 1 + cut));
      exchange.Close();
    });
    ExpectCut(reading, cut, ErrorKind::kNetwork);
    if (HasFatalFailure()) return;
  }
}

TEST_P(RecordingTest, CutBetweenChunks) {
  for (size_t cut = 1; cut <= text_.size(); ++cut) {
    const Reading reading = Ask([&, cut](Exchange& exchange) {
      exchange.StartSse();
      exchange.SendChunk(text_.substr(0, cut));
      exchange.Close();
    });
    ExpectCut(reading, cut, ErrorKind::kNetwork);
    if (HasFatalFailure()) return;
  }
}

TEST_P(RecordingTest, CutOfABodyWithALength) {
  for (size_t cut = 0; cut < text_.size(); ++cut) {
    const Reading reading = Ask([&, cut](Exchange& exchange) {
      exchange.SendHead(200, {{"Content-Type", "text/event-stream"}, {"Content-Length", std::to_string(text_.size())}});
      exchange.Send(text_.substr(0, cut));
      exchange.Close();
    });
    ExpectCut(reading, cut, ErrorKind::kNetwork);
    if (HasFatalFailure()) return;
  }
}

// The connection's end is the body's end, wherever it comes, so only the events show whether it was cut.
TEST_P(RecordingTest, CutOfABodyWithoutFrame) {
  constexpr size_t kByteOrderMarkBytes = 3;
  const size_t comment = kRecording[0].text.size();
  for (size_t cut = 0; cut <= text_.size(); ++cut) {
    const Reading reading = Ask([&, cut](Exchange& exchange) {
      exchange.SendHead(200, {{"Content-Type", "text/event-stream"}});
      exchange.Send(text_.substr(0, cut));
      exchange.Close();
    });
    // Before the first event nothing is missing, unless more than a byte order mark or a comment has begun.
    const bool nothing = cut == 0 || (kByteOrderMarkBytes <= cut && cut <= comment);
    ExpectCut(reading, cut, nothing ? ErrorKind::kProtocol : ErrorKind::kTruncated);
    if (HasFatalFailure()) return;
  }
}

TEST_P(RecordingTest, CutByAReset) {
  for (size_t cut = 0; cut <= text_.size(); ++cut) {
    const std::vector<std::string> whole = WholeEvents(cut);
    const auto read = std::make_shared<Event>();
    server_.OnNextRequest([&, cut, read](Exchange& exchange) {
      exchange.StartSse();
      exchange.Send(Chunk(text_).substr(0, Chunk(text_).find('\n') + 1 + cut));
      // A reset may overtake data that was sent, so the events must be read first.
      exchange.WaitFor(*read);
      exchange.Reset();
    });
    EventStream stream = GetParam()(*client_);
    Reading reading;
    while (reading.events.size() < whole.size() && reading.Take(stream.Read())) {
    }
    read->Set();
    while (reading.Take(stream.Read())) {
    }
    ExpectCut(reading, cut, ErrorKind::kNetwork);
    if (HasFatalFailure()) return;
  }
}

// A clean end of the body while a run is open is an error.
TEST_P(RecordingTest, CleanEndAfterEachEventOfTheRun) {
  for (size_t cut = 1; cut < text_.size(); ++cut) {
    const size_t events = WholeEvents(cut).size();
    const Reading reading = Ask([&, cut](Exchange& exchange) {
      exchange.StartSse();
      exchange.SendChunk(text_.substr(0, cut));
      exchange.EndChunked();
    });
    if (events == 0) continue;
    ExpectCut(reading, cut, ErrorKind::kTruncated);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace igpt::testing
