// Structs to and from iGPT's JSON. Pure; never throws; bounded by kMaxJsonDepth.
//
// Decoding walks the whole text: malformed JSON anywhere in it is found, whether a field for it exists or not. Text
// that is kept verbatim (raw_json, Json::json, output_format_json) is cut out of the input, never written again: key
// order, duplicate keys, big numbers and escaped lone surrogates survive.
//
// A string with an escaped lone surrogate has no UTF-8: the typed field then holds U+FFFD in its place and raw_json the
// whole.
//
// Errors, when the text
// - holds an `error` that is true in JavaScript's sense, as the official SDKs test it: kAuth for "auth", kParams for
//   "params", else kApi;
// - is an event that is named as an error ("error", "run.failed"): the same, by its `code`;
// - is not UTF-8 (nor may an event's name be anything else), or nests deeper than kMaxJsonDepth: kMalformed;
// - holds a list of more than 100,000 items where a typed list belongs: kTooLarge;
// - is not JSON, or lacks what the answer must have: kMalformed for an event, kProtocol for an answer.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "igpt/types.h"

namespace igpt::internal {

// What decoding an answer of Ask or Run needs to know of the request.
struct AnswerDecoding {
  bool json_wanted = false;  // the output format was JSON or a JSON Schema
  bool include_raw = false;
};
template <typename Request>  // AskRequest or RunRequest
AnswerDecoding DecodingOf(const Request& request) {
  return {.json_wanted = request.output_format.kind != OutputFormat::Kind::kText, .include_raw = request.include_raw};
}

// Whether an event's name says that something failed: "error", "failed", or one of these after a single word.
bool NamesError(std::string_view type);

// What the events so far say about the next one. A run can begin after another has finished.
struct RunProgress {
  enum class Run { kNone, kOpen, kFinished } run = Run::kNone;
  // The first half of a character, if the last delta ended with it: a high surrogate, escaped. The next delta is to
  // begin with the other half.
  std::string half = {};
};

// One event of a stream. `data` is the event's data, `name` its SSE name, used as `type` when the JSON has none.
// `progress` is kept up to date.
//
// The name decides what an event is; the shape decides only for an event without a name. While a run is open, only
// run.done is its answer. After that, nothing has a payload but the start of another run.
absl::StatusOr<RunEvent> DecodeRunEvent(std::string data, std::string_view name, AnswerDecoding decoding,
                                        RunProgress& progress);

// The same for the first event of a stream.
inline absl::StatusOr<RunEvent> DecodeRunEvent(std::string data, std::string_view name, AnswerDecoding decoding) {
  RunProgress progress;
  return DecodeRunEvent(std::move(data), name, decoding, progress);
}

// Whole answers.
absl::StatusOr<Answer> DecodeAnswer(std::string body, AnswerDecoding decoding);
absl::StatusOr<SearchAnswer> DecodeSearch(std::string body, bool include_raw);
absl::StatusOr<ListAnswer> DecodeList(std::string body, bool include_raw);
absl::StatusOr<DisconnectAnswer> DecodeDisconnect(std::string body, bool include_raw);
absl::StatusOr<AuthorizeAnswer> DecodeAuthorize(std::string body, bool include_raw);

}  // namespace igpt::internal
