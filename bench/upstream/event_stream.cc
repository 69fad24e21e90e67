#include "bench/upstream/event_stream.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <initializer_list>
#include <string_view>

#include "bench/upstream/text.h"

namespace igpt::bench {
namespace {

constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

constexpr int64_t kOutputBytesPerEvent = 40;
constexpr int64_t kMaxOutputBytes = 4096;
// The largest event, including its framing.
constexpr size_t kMaxEventBytes = kMaxOutputBytes + 1024;

constexpr std::array<std::string_view, 4> kDeltaWords = {
    " the invoice of March",
    " was paid in full and",
    " the contract is kept",
    " until the next year.",
};

// Phases are spread evenly over [0, period), however many streams there are, and no two are the same.
int64_t Phase(int64_t number, int64_t period) {
  constexpr double kGoldenRatio = 0.6180339887498949;
  return static_cast<int64_t>(std::fmod(static_cast<double>(number) * kGoldenRatio, 1.0) * static_cast<double>(period));
}

int64_t UnixMillis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void AppendEvent(std::string& piece, std::initializer_list<std::string_view> json) {
  constexpr std::string_view kBefore = "data: ";
  constexpr std::string_view kAfter = "\n\n";
  size_t size = kBefore.size() + kAfter.size();
  for (const std::string_view part : json) size += part.size();
  piece.append(Number(static_cast<int64_t>(size), 16).text()).append("\r\n").append(kBefore);
  for (const std::string_view part : json) piece.append(part);
  piece.append(kAfter).append("\r\n");
}

}  // namespace

EventStream::EventStream(int64_t number, const Directives& directives, int64_t now)
    : events_(directives.events), period_(directives.period.count()), started_(now), due_(now) {
  if (period_ > 0) due_ += Phase(number, period_);
}

void EventStream::Produce(int64_t now, std::string& piece) {
  if (state_ == State::kStart) ProduceStart(piece);
  while (state_ == State::kDeltas && piece.size() + kMaxEventBytes <= kPieceBytes) {
    if (seq_ == events_) {
      ProduceDone(now, piece);
    } else if (due_ <= now) {
      ProduceDelta(now, piece);
    } else {
      break;
    }
  }
}

void EventStream::ProduceStart(std::string& piece) {
  constexpr std::string_view kContext =
      R"(,"context":{"quality":"cef-1-normal","reasoning_effort":"medium","indexed":1,"datasources":[]},)"
      R"("output_format":"text"})";
  piece.append(kHead);
  AppendEvent(piece, {R"({"type":"run.start","seq":0,"id":")", Number(started_).text(), R"(","timestamp":)",
                      Number(UnixMillis()).text(), kContext});
  state_ = State::kDeltas;
}

void EventStream::ProduceDelta(int64_t now, std::string& piece) {
  ++seq_;
  AppendEvent(piece, {R"({"type":"run.output_text.delta","seq":)", Number(seq_).text(), R"(,"delta":")",
                      Number(now).text(), kDeltaWords[seq_ % kDeltaWords.size()], R"("})"});
  due_ += period_;
}

void EventStream::ProduceDone(int64_t now, std::string& piece) {
  static const std::string kOutput = Words(kMaxOutputBytes);
  const int64_t output_bytes = std::min(std::min(events_, kMaxOutputBytes) * kOutputBytesPerEvent, kMaxOutputBytes);
  const int64_t duration = (now - started_) / 1'000'000;
  const int64_t finished = UnixMillis();
  AppendEvent(piece, {R"({"type":"run.done","seq":)", Number(seq_ + 1).text(), R"(,"id":")", Number(started_).text(),
                      R"(","timestampStart":)", Number(finished - duration).text(), R"(,"timestamp":)",
                      Number(finished).text(), R"(,"duration":)", Number(duration).text(), R"(,"output":")",
                      std::string_view(kOutput).substr(0, output_bytes),
                      R"(","usage":{"input_tokens":1200,"output_tokens":)", Number(events_).text(),
                      R"(,"total_tokens":)", Number(1200 + events_).text(), R"(},"metadata":{"sources":[]}})"});
  piece.append(kLastChunk);
  state_ = State::kDone;
}

}  // namespace igpt::bench
