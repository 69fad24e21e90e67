// What a faulty upstream does to one request, as data: a list of steps. Deterministic: the same script, seed and token
// give the same bytes in the same pieces.
//
//   Script{Send(SseHead()), Send(Events(kRunStart)), Rst()}
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/event.h"
#include "tests/support/exchange.h"
#include "tests/support/http_message.h"

namespace igpt::testing {

// Four canaries for texts that must stay where they belong. `#` stands for the 16 digits that differ from case to case
// and that are looked for: a text has the same length before and after they are put in.
inline constexpr char kDigits[] = "################";
inline constexpr char kKeyCanary[] = "ak:canary-key-################";
inline constexpr char kUserCanary[] = "canary-user-################";
inline constexpr char kPromptCanary[] = "canary-prompt-################";
inline constexpr char kAnswerCanary[] = "canary-answer-################";

// The 16 digits of the case of that name.
std::string TokenOf(std::string_view name);
// `text` with `token` in place of every kDigits.
std::string Fill(std::string_view text, std::string_view token);

struct Step {
  enum class Kind {
    kSend,      // `bytes` at once
    kBytewise,  // each byte in a segment of its own, `time` after the one before
    kShredded,  // in segments of random sizes
    kPause,     // silence for `time`
    kAwait,     // silence until the caller has read all the events that are expected of the case
    kForever,   // `bytes` again and again until the peer is gone
    kStall,     // silence until the peer is gone
    kFin,       // the connection ends in order
    kRst,       // the connection breaks
  };
  Kind kind = Kind::kSend;
  std::string bytes = {};
  absl::Duration time = {};
};
using Script = std::vector<Step>;

inline Step Send(std::string bytes) {
  return {.kind = Step::Kind::kSend, .bytes = std::move(bytes)};
}
inline Step Bytewise(std::string bytes, absl::Duration interval = {}) {
  return {.kind = Step::Kind::kBytewise, .bytes = std::move(bytes), .time = interval};
}
inline Step Shredded(std::string bytes) {
  return {.kind = Step::Kind::kShredded, .bytes = std::move(bytes)};
}
inline Step Pause(absl::Duration time) {
  return {.kind = Step::Kind::kPause, .time = time};
}
inline Step AwaitRead() {
  return {.kind = Step::Kind::kAwait};
}
inline Step Forever(std::string bytes) {
  return {.kind = Step::Kind::kForever, .bytes = std::move(bytes)};
}
inline Step StallForGood() {
  return {.kind = Step::Kind::kStall};
}
inline Step Fin() {
  return {.kind = Step::Kind::kFin};
}
inline Step Rst() {
  return {.kind = Step::Kind::kRst};
}

// Answers to build scripts from.

inline const HttpHeaders kJsonHeaders = {{"Content-Type", "application/json"}};

// A whole answer, framed by Content-Length.
std::string Whole(int status, std::string_view body, HttpHeaders headers = kJsonHeaders);
// The head of a chunked event stream, one of its events in a chunk of its own, and a whole one.
std::string SseHead();
std::string SseChunk(std::string_view json);
std::string SseWhole(std::initializer_list<std::string_view> events);

// What a script needs to know of the case that it is played for.
struct Stage {
  std::string token;
  std::string elsewhere;  // put in for $ELSEWHERE: an address where nothing must ever arrive
  unsigned seed = 1;
  const Event* read = nullptr;  // for kAwait
};

// Does to the exchange what the script says.
void Play(const Script& script, const Stage& stage, Exchange& exchange);

}  // namespace igpt::testing
