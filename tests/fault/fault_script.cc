#include "tests/fault/fault_script.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace igpt::testing {
namespace {

// FNV-1a: the same on every machine, which std::hash isn't.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 14'695'981'039'346'656'037U;
  for (const unsigned char c : text) hash = (hash ^ c) * 1'099'511'628'211U;
  return hash;
}

// Stays silent. Returns false if the peer is gone.
bool Wait(Exchange& exchange, absl::Duration time) {
  return time == absl::ZeroDuration() || !exchange.AwaitPeerClosed(time);
}

void SendSlowly(std::string_view bytes, absl::Duration interval, Exchange& exchange) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (!Wait(exchange, interval) || !exchange.Send(bytes.substr(i, 1))) return;
  }
}

void SendShredded(std::string_view bytes, unsigned seed, Exchange& exchange) {
  constexpr unsigned kLargestPiece = 40;
  std::mt19937 random(seed);
  while (!bytes.empty()) {
    const size_t size = std::min<size_t>(bytes.size(), 1 + random() % kLargestPiece);
    if (!exchange.Send(bytes.substr(0, size))) return;
    bytes.remove_prefix(size);
  }
}

}  // namespace

std::string TokenOf(std::string_view name) {
  return absl::StrFormat("%016x", Hash(name));
}

std::string Fill(std::string_view text, std::string_view token) {
  return absl::StrReplaceAll(absl::string_view(text.data(), text.size()),
                             {{kDigits, absl::string_view(token.data(), token.size())}});
}

std::string Whole(int status, std::string_view body, HttpHeaders headers) {
  headers.emplace_back("Content-Length", std::to_string(body.size()));
  return Head(status, headers).append(body);
}

std::string SseHead() {
  return Head(200, {{"Content-Type", "text/event-stream"}, {"Transfer-Encoding", "chunked"}});
}

std::string SseChunk(std::string_view json) {
  return Chunk(SseEvent(json));
}

std::string SseWhole(std::initializer_list<std::string_view> events) {
  std::string bytes = SseHead();
  for (const std::string_view event : events) bytes += SseChunk(event);
  return bytes.append(kLastChunk);
}

void Play(const Script& script, const Stage& stage, Exchange& exchange) {
  for (const Step& step : script) {
    const std::string bytes = absl::StrReplaceAll(Fill(step.bytes, stage.token), {{"$ELSEWHERE", stage.elsewhere}});
    switch (step.kind) {
      case Step::Kind::kSend:
        exchange.Send(bytes);
        break;
      case Step::Kind::kBytewise:
        SendSlowly(bytes, step.time, exchange);
        break;
      case Step::Kind::kShredded:
        SendShredded(bytes, stage.seed, exchange);
        break;
      case Step::Kind::kPause:
        if (!Wait(exchange, step.time)) return;
        break;
      case Step::Kind::kAwait:
        if (!exchange.WaitFor(*stage.read)) return;
        break;
      case Step::Kind::kForever:
        while (exchange.Send(bytes)) {
        }
        return;
      case Step::Kind::kStall:
        exchange.Stall();
        return;
      case Step::Kind::kFin:
        exchange.Close();
        return;
      case Step::Kind::kRst:
        exchange.Reset();
        return;
    }
  }
}

}  // namespace igpt::testing
