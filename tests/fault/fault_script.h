// What a faulty upstream does to one request: a list of steps, as data. Deterministic: the same script, seed and token
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
#include "igpt/testing/event.h"
#include "igpt/testing/exchange.h"
#include "igpt/testing/http_message.h"

namespace igpt::testing {

// Four canaries for texts that must not leak. The `#` stand for 16 digits that differ from case to case and that tests
// search for. Filling them in doesn't change a text's length.
inline constexpr char kDigits[] = "################";
inline constexpr char kKeyCanary[] = "ak:canary-key-################";
inline constexpr char kUserCanary[] = "canary-user-################";
inline constexpr char kPromptCanary[] = "canary-prompt-################";
inline constexpr char kAnswerCanary[] = "canary-answer-################";

// The 16 digits of the case with this name.
std::string TokenOf(std::string_view name);
// `text` with every kDigits replaced by `token`.
std::string Fill(std::string_view text, std::string_view token);

struct Step {
  enum class Kind {
    kSend,      // `bytes` at once
    kBytewise,  // each byte in its own segment, `time` after the one before
    kShredded,  // in segments of random sizes
    kPause,     // silence for `time`
    kAwait,     // silence until the caller has read all events that the case expects
    kForever,   // `bytes` again and again until the peer is gone
    kStall,     // silence until the peer is gone
    kFin,       // close the connection
    kRst,       // reset the connection
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
// The head of a chunked event stream, an event in its own chunk, and a whole stream.
std::string SseHead();
std::string SseChunk(std::string_view json);
std::string SseWhole(std::initializer_list<std::string_view> events);

// What a script needs to know about its case.
struct Stage {
  std::string token;
  std::string elsewhere;  // replaces $ELSEWHERE: an address where nothing must ever arrive
  unsigned seed = 1;
  const Event* read = nullptr;  // for kAwait
};

// Runs the script on the exchange.
void Play(const Script& script, const Stage& stage, Exchange& exchange);

}  // namespace igpt::testing
