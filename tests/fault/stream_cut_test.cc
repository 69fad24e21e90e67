// Answers that are cut at every offset, split at every offset, or framed unusually: the events before a cut are
// delivered, and an incomplete answer is never taken for a complete one.
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/fault_case.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;

// The events of a whole run, one of each arm, with characters of two to four bytes.
const std::vector<std::string> kRun = {
    R"({"type":"run.start","seq":0,"id":"r1"})",
    R"({"type":"run.turn.start","seq":1,"turn":1})",
    R"({"type":"run.reasoning_item.start","seq":2,"item":{"type":"reasoning"}})",
    R"({"type":"run.tool_call_item","seq":3,"item":{"type":"function_call","name":"find","arguments":"{}","callId":"c"}})",
    R"({"type":"run.tool_call_output_item","seq":4,"item":{"type":"function_call_result","name":"find","callId":"c"}})",
    R"({"type":"run.output_item.start","seq":5,"item":{"type":"message"}})",
    R"({"type":"run.output_text.delta","seq":6,"delta":"canary-answer-################"})",
    R"({"type":"run.output_text.delta","seq":7,"delta":" Grüße … 🙂"})",
    R"({"type":"run.done","seq":8,"id":"r1","output":"canary-answer-################ Grüße … 🙂"})",
};

std::string SseBody() {
  std::string body;
  for (const std::string& event : kRun) body += SseEvent(event);
  return body;
}

// What each call of a sweep receives, and what is expected.
struct Sweep {
  int row = 30;
  std::string name;
  Call call = Call::kAsk;
  size_t cases = 0;  // for n from 0 to cases - 1
  std::function<Script(size_t n)> script;
  std::function<size_t(size_t n)> events;    // delivered
  std::function<std::string(size_t n)> end;  // "OK/" or "UNAVAILABLE/STREAM_TRUNCATED"
};

// Makes the calls in parallel on a few threads. The case's number reaches the upstream in the input.
class SweepTest {
 public:
  explicit SweepTest(const Sweep& sweep) : sweep_(sweep), token_(TokenOf(sweep.name)), read_(sweep.cases) {}

  void Run() {
    Igptd igptd({"--log_level=trace", "--max_retries=1"}, {"IGPT_API_KEY=" + Fill(kKeyCanary, token_)});
    igptd.upstream.OnRequest([this](Exchange& exchange) { Answer(exchange); });
    constexpr int kThreads = 6;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (size_t n = next_++; n < sweep_.cases; n = next_++) Call(igptd, n);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(igptd.upstream.requests().size(), sweep_.cases);
    ExpectKeyEverywhere(igptd.upstream, Fill(kKeyCanary, token_));
    std::vector<std::string> ends;
    std::vector<std::string> counted;
    for (size_t n = 0; n < sweep_.cases; ++n) {
      ends.push_back(sweep_.end(n));
      counted.push_back(MethodName(sweep_.call) + " " + ends.back());
    }
    ExpectCounted(igptd, counted);
    igptd.Stop();
    ExpectLog(igptd, ends, token_);
  }

 private:
  void Answer(Exchange& exchange) {
    const nlohmann::json body = nlohmann::json::parse(exchange.request().body);
    const size_t n = std::stoul(body["input"].get<std::string>());
    Play(sweep_.script(n), {.token = token_, .elsewhere = "", .seed = static_cast<unsigned>(n), .read = &read_[n]},
         exchange);
  }

  void Call(Igptd& igptd, size_t n) {
    SCOPED_TRACE(sweep_.name + " " + std::to_string(n));
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kWaitLimit));
    const size_t events = sweep_.events(n);
    size_t got = 0;
    if (events == 0) read_[n].Set();
    const grpc::Status status = MakeStreamCall(
        igptd, sweep_.call, context,
        [&](auto& request) {
          request.set_user(Fill(kUserCanary, token_));
          request.set_input(std::to_string(n) + Fill(kPromptCanary, token_));
        },
        [&](const v1::RunEvent& event) {
          ExpectEvent(event, got);
          if (++got == events) read_[n].Set();
        });
    EXPECT_EQ(got, events);
    const ErrorDetails details = DetailsOf(status);
    EXPECT_EQ(LogName(status.error_code(), details.info.reason()), sweep_.end(n)) << status.error_message();
    EXPECT_EQ(status.error_message().find(token_), std::string::npos);
    if (details.info.reason() == "STREAM_TRUNCATED") {
      EXPECT_EQ(details.info.metadata().at("events_delivered"), std::to_string(events));
    }
  }

  // Checks that the event is complete, and the one at this index of the run.
  void ExpectEvent(const v1::RunEvent& event, size_t index) const {
    const nlohmann::json sent =
        nlohmann::json::parse(Fill(kRun.at(IsWhole(sweep_.call) ? kRun.size() - 1 : index), token_));
    EXPECT_EQ(event.type(), sent.value("type", ""));
    EXPECT_EQ(event.delta(), sent.value("delta", ""));
    EXPECT_EQ(event.completed().text(), sent.value("output", ""));
  }

  const Sweep& sweep_;
  const std::string token_;
  std::atomic<size_t> next_ = 0;
  std::vector<Event> read_;
};

// How many events end within the first `size` bytes of an answer.
size_t EventsIn(const std::string& answer, size_t size) {
  size_t count = 0;
  for (size_t at = answer.find("}\n\n"); at != std::string::npos && at + 3 <= size; at = answer.find("}\n\n", at + 3)) {
    ++count;
  }
  return count;
}

// An answer that is cut after every offset; `end` ends the connection.
Sweep Cuts(const std::string& name, const std::string& answer, const Step& end) {
  Sweep sweep;
  sweep.name = name;
  sweep.cases = answer.size();
  sweep.script = [=](size_t n) { return Script{Send(answer.substr(0, n)), AwaitRead(), end}; };
  sweep.events = [=](size_t n) { return EventsIn(answer, n); };
  sweep.end = [=](size_t n) {
    const size_t events = EventsIn(answer, n);
    if (events == 0) return "UNAVAILABLE/NETWORK_ERROR";
    return events == kRun.size() ? "OK/" : "UNAVAILABLE/STREAM_TRUNCATED";
  };
  return sweep;
}

std::string ChunkedAnswer() {
  std::string answer = SseHead();
  for (const std::string& event : kRun) answer += SseChunk(event);
  return answer.append(kLastChunk);
}

const std::string kCloseDelimitedHead = Head(200, {{"Content-Type", "text/event-stream"}, {"Connection", "close"}});

TEST(StreamCutTest, Row30_ChunkedBodyCutAtEveryOffsetByFin) {
  SweepTest(Cuts("ChunkedFin", ChunkedAnswer(), Fin())).Run();
}
TEST(StreamCutTest, Row30_ChunkedBodyCutAtEveryOffsetByRst) {
  SweepTest(Cuts("ChunkedRst", ChunkedAnswer(), Rst())).Run();
}
TEST(StreamCutTest, Row30_RunCutAtEveryOffset) {
  Sweep sweep = Cuts("Run", ChunkedAnswer(), Fin());
  sweep.call = Call::kRun;
  SweepTest(sweep).Run();
}
TEST(StreamCutTest, Row30_BodyWithContentLengthCutAtEveryOffset) {
  SweepTest(Cuts("Length", Whole(200, SseBody(), {{"Content-Type", "text/event-stream"}}), Fin())).Run();
}
// Here a cut looks like the end, and only the terminal event distinguishes them.
TEST(StreamCutTest, Row30_CloseDelimitedBodyCutAtEveryOffset) {
  Sweep sweep = Cuts("CloseDelimited", kCloseDelimitedHead + SseBody(), Fin());
  sweep.end = [=, end = sweep.end](size_t n) -> std::string {
    if (n < kCloseDelimitedHead.size() || EventsIn(kCloseDelimitedHead + SseBody(), n) > 0) return end(n);
    return n == kCloseDelimitedHead.size() ? "INTERNAL/IGPT_PROTOCOL" : "UNAVAILABLE/STREAM_TRUNCATED";
  };
  SweepTest(sweep).Run();
}
TEST(StreamCutTest, Row30_JsonAnswerCutAtEveryOffset) {
  const std::string answer = Whole(200, kRun.back());
  Sweep sweep = Cuts("Json", answer, Fin());
  sweep.call = Call::kWhole;
  sweep.events = [](size_t /*n*/) { return 0; };
  sweep.end = [](size_t /*n*/) { return "UNAVAILABLE/NETWORK_ERROR"; };
  SweepTest(sweep).Run();
}
TEST(StreamCutTest, Row30_ChunkedJsonAnswerCutAtEveryOffset) {
  const std::string answer =
      Head(200, {{"Content-Type", "application/json"}, {"Transfer-Encoding", "chunked"}}) + Chunk(kRun.back());
  Sweep sweep = Cuts("ChunkedJson", answer, Rst());
  sweep.call = Call::kWhole;
  sweep.events = [](size_t /*n*/) { return 0; };
  sweep.end = [](size_t /*n*/) { return "UNAVAILABLE/NETWORK_ERROR"; };
  SweepTest(sweep).Run();
}
// The connection's end is the answer's end. JSON that is cut is invalid JSON or, if cut within a character, not UTF-8.
TEST(StreamCutTest, Row30_CloseDelimitedJsonAnswerCutAtEveryOffset) {
  const std::string head = Head(200, {{"Content-Type", "application/json"}, {"Connection", "close"}});
  const std::string answer = head + kRun.back();
  Sweep sweep = Cuts("CloseDelimitedJson", answer, Fin());
  sweep.call = Call::kWhole;
  sweep.events = [](size_t /*n*/) { return 0; };
  sweep.end = [&](size_t n) {
    if (n < head.size()) return "UNAVAILABLE/NETWORK_ERROR";
    const bool within_character = (static_cast<unsigned char>(answer[n]) & 0xC0) == 0x80;
    return within_character ? "DATA_LOSS/STREAM_MALFORMED" : "INTERNAL/IGPT_PROTOCOL";
  };
  SweepTest(sweep).Run();
}

// Splits: however a recording is split into pieces, the events are the same.

Sweep Splits(const std::string& name, size_t cases, const std::function<Script(size_t n)>& script) {
  Sweep sweep;
  sweep.row = 0;
  sweep.name = name;
  sweep.cases = cases;
  sweep.script = script;
  sweep.events = [](size_t /*n*/) { return kRun.size(); };
  sweep.end = [](size_t /*n*/) { return "OK/"; };
  return sweep;
}

// The same events with other line ends, and with everything else that a stream may contain.
std::string Decorated(const std::string& line_end, size_t event) {
  const std::string& e = line_end;
  return ": a comment" + e + "id: 7" + e + "retry: 10" + e + "event: message" + e + "unknown: field" + e + "field" + e +
         "data:" + kRun[event] + e + e;
}
std::string DecoratedBody(const std::string& line_end) {
  std::string body = "\xEF\xBB\xBF";
  for (size_t i = 0; i < kRun.size(); ++i) body += Decorated(line_end, i);
  return body;
}

// The parser gets each chunk as one piece, so the split is exactly where the case wants it.
Script InTwoChunks(const std::string& body, size_t at) {
  return {Send(SseHead() + Chunk(body.substr(0, at)) + Chunk(body.substr(at)) + std::string(kLastChunk))};
}
Script BytewiseChunks(const std::string& body) {
  std::string bytes = SseHead();
  for (const char c : body) bytes += Chunk({&c, 1});
  return {Send(bytes.append(kLastChunk))};
}

void ExpectAllSplitsAlike(const std::string& name, const std::string& body) {
  const std::string filled = Fill(body, TokenOf(name));  // before splitting, because a split may be inside a canary
  SweepTest(Splits(name, filled.size(), [&](size_t n) {
    return n == 0 ? BytewiseChunks(filled) : InTwoChunks(filled, n);
  })).Run();
}

TEST(StreamSplitTest, RowSse_EverySplitOfLinesThatEndWithLf) {
  ExpectAllSplitsAlike("Lf", SseBody());
}
TEST(StreamSplitTest, RowSse_EverySplitOfADecoratedStreamWithCrlf) {
  ExpectAllSplitsAlike("Crlf", DecoratedBody("\r\n"));
}
TEST(StreamSplitTest, RowSse_EverySplitOfADecoratedStreamWithCr) {
  ExpectAllSplitsAlike("Cr", DecoratedBody("\r"));
}
TEST(StreamSplitTest, RowSse_SegmentsAtRandom) {
  SweepTest(Splits("Random", 100, [](size_t n) {
    return Script{Shredded(n % 2 == 0 ? ChunkedAnswer()
                                      : Whole(200, DecoratedBody("\r\n"), {{"Content-Type", "text/event-stream"}}))};
  })).Run();
}
TEST(StreamSplitTest, RowSse_EveryByteInASegmentOfItsOwn) {
  SweepTest(Splits("Segments", 4, [](size_t /*n*/) { return Script{Bytewise(ChunkedAnswer())}; })).Run();
}

}  // namespace
}  // namespace igpt::testing
