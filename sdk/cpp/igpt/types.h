// Requests and answers of the iGPT API as plain structs.
//
// Fields that iGPT documents are typed. Whatever else an answer, an event or an item holds (an unknown key, a known key
// of another type, a value that the typed field cannot hold exactly) is never dropped: its `raw_json` then carries the
// whole of it, exactly as iGPT wrote it. `raw_json` is empty when everything has a typed home, unless the request asked
// for it with `include_raw`.
//
// A program that reads a field from `raw_json` sets `include_raw`. Without it, `raw_json` is there only as long as this
// library has no typed home for the field: a later version that has one leaves it empty.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "igpt/call_info.h"

namespace igpt::unstable {
struct EventPayloads;
}  // namespace igpt::unstable

namespace igpt::inline sdk_v1 {

// What an answer is written in.
struct OutputFormat {
  enum class Kind {
    kText,        // plain text; iGPT's default
    kJson,        // JSON of the model's own choice of shape
    kJsonSchema,  // JSON that follows `schema`
  };
  Kind kind = Kind::kText;

  // For kJsonSchema only. The text of one JSON object, sent exactly as written. At most kMaxSchemaBytes, nested at most
  // kMaxJsonDepth deep.
  std::string schema = {};
  // For kJsonSchema only. Whether the output has to follow the schema to the letter.
  bool strict = false;
  // For kJsonSchema only. Optional name of the schema.
  std::string name = {};
};

struct AskRequest {
  std::string user = {};     // whose datasources; empty: Options::user
  std::string input = {};    // the question; required, at most kMaxInputBytes
  std::string quality = {};  // e.g. "cef-1-high"; empty: iGPT's default. An open set
  OutputFormat output_format = {};
  bool include_raw = false;  // fill every raw_json; set it to read fields from there
};

// An AskRequest with more to steer the answer.
struct RunRequest {
  std::string user = {};     // whose datasources; empty: Options::user
  std::string input = {};    // the question; required, at most kMaxInputBytes
  std::string quality = {};  // e.g. "cef-1-high"; empty: iGPT's default. An open set
  OutputFormat output_format = {};
  std::string reasoning_effort = {};  // "low", "medium" or "high"; empty: iGPT's default. An open set
  std::string instructions = {};      // how to answer; optional, at most kMaxInstructionsBytes
  bool include_raw = false;           // as in AskRequest
};

struct SearchRequest {
  std::string user = {};           // whose datasources; empty: Options::user
  std::string query = {};          // optional, at most kMaxQueryBytes
  std::string date_from = {};      // YYYY-MM-DD, optional
  std::string date_to = {};        // YYYY-MM-DD, optional, not before date_from
  int max_results = 0;             // 0: iGPT's default; not negative
  std::string filter_people = {};  // optional: only content that involves these people
  bool include_raw = false;        // as in AskRequest
};

struct ListRequest {
  std::string user = {};     // empty: Options::user
  bool include_raw = false;  // as in AskRequest
};

struct DisconnectRequest {
  std::string user = {};     // empty: Options::user
  std::string id = {};       // Datasource::id; required
  bool include_raw = false;  // as in AskRequest
};

struct AuthorizeRequest {
  std::string user = {};          // empty: Options::user
  std::string service = {};       // e.g. "spike"; required
  std::string scope = {};         // space-delimited, e.g. "messages"; required
  std::string redirect_uri = {};  // optional
  std::string state = {};         // optional, handed back at redirect_uri
  bool include_raw = false;       // as in AskRequest
};

struct Datasource {
  std::string id = {};                  // shaped like "service/id/type"
  std::string service = {};             // an open set
  std::string type = {};                // an open set
  std::string status = {};              // an open set
  std::string title = {};               // for people
  std::string subtitle = {};            // for people
  std::optional<double> progress = {};  // percent
  std::optional<absl::Time> newest_item_time = {};
  std::optional<absl::Time> oldest_item_time = {};
  std::string raw_json = {};
};

struct Source {
  std::string id = {};
  std::string type = {};                     // an open set, e.g. "message"
  std::optional<absl::Time> item_time = {};  // of the message or document
  std::string provider = {};
  std::string picture = {};  // URL
  std::string title = {};
};

struct Usage {
  int32_t input_tokens = 0;
  int32_t output_tokens = 0;
  int32_t total_tokens = 0;
};

// What an answer says: nothing, text, or JSON text verbatim.
struct Text {
  std::string text = {};
};
struct Json {
  std::string json = {};
};
using Output = std::variant<std::monostate, Text, Json>;

// A whole answer.
struct Answer {
  std::string id = {};  // the run's; may be empty
  Output output = {};
  std::optional<Usage> usage = {};
  std::vector<Source> sources = {};
  std::optional<absl::Time> start_time = {};
  std::optional<absl::Time> end_time = {};
  std::optional<absl::Duration> duration = {};
  std::string raw_json = {};  // as an event's payload this stays empty: RunEvent::raw_json has it
  CallInfo call = {};
};

// How far something is that takes more than one event.
enum class Stage {
  kUnspecified,  // iGPT's name for the event doesn't tell
  kStarted,
  kDone,  // the event holds all of it
  kPartStarted,
  kPartDone,  // the event holds that part; the event with kDone will hold it again
};

// The payloads of RunEvent. The names in parentheses are iGPT's.

// A run began (run.start).
struct RunStarted {
  std::string id = {};
  std::optional<absl::Time> start_time = {};
  std::string quality = {};
  std::string reasoning_effort = {};
  std::optional<int32_t> indexed = {};  // how many indexed datasources the run can use
  std::vector<Datasource> datasources = {};
  std::string output_format_json = {};  // JSON text: "text" in quotes, or an object
};

// The next piece of the answer (run.output_text.delta).
struct Delta {
  std::string text = {};
};

// A turn of the model begins or ends (run.turn.start, run.turn.done).
struct Turn {
  int32_t number = 0;
  Stage stage = Stage::kUnspecified;
};

// The model reasons (run.reasoning_item.start/.done, run.reasoning_summary_part.start/.done).
struct Reasoning {
  std::vector<std::string> summary = {};
  Stage stage = Stage::kUnspecified;
};

// The model calls a tool (run.tool_call_item).
struct ToolCall {
  std::string name = {};
  std::string arguments_json = {};  // as the model wrote it: may be invalid
  std::string call_id = {};
};

// A tool answered (run.tool_call_output_item).
struct ToolOutput {
  std::string name = {};
  std::string call_id = {};
  std::vector<Source> sources = {};
};

// A message of the model begins or is whole (run.output_item.start, run.output_item.done).
struct OutputItem {
  std::string role = {};
  std::vector<std::string> text = {};
  Stage stage = Stage::kUnspecified;
};

// What an event says: one of the structs above, or nothing that this library knows. A later version may know more: so a
// program asks for those that it can use, and passes over all others.
class EventPayload {
  using Value =
      std::variant<std::monostate, Delta, RunStarted, Answer, Turn, Reasoning, ToolCall, ToolOutput, OutputItem>;

 public:
  EventPayload() = default;
  template <typename Payload>
  requires(!std::same_as<Payload, EventPayload> && std::constructible_from<Value, Payload>)
      EventPayload(Payload payload)  // NOLINT(google-explicit-constructor)
      : value_(std::move(payload)) {}

  // The payload, if it is of this type; else null. An Answer: the answer is whole.
  template <typename Payload>
  const Payload* As() const {
    return std::get_if<Payload>(&value_);
  }
  template <typename Payload>
  Payload* As() {
    return std::get_if<Payload>(&value_);
  }

 private:
  friend struct unstable::EventPayloads;
  Value value_;
};

// One event of a streamed answer.
struct RunEvent {
  std::optional<int32_t> seq = {};  // iGPT's order within the run
  std::string type = {};            // iGPT's name of the event; may be empty
  EventPayload payload = {};        // empty: an event that this library doesn't know; raw_json has it
  std::string raw_json = {};
};

// One thing that a search found. iGPT documents no shape for it: these are the keys that integrations read.
struct SearchResult {
  std::string id = {};
  std::string subject = {};
  std::string content = {};                  // iGPT's `content` or `body`
  std::string sender = {};                   // iGPT's `from`
  std::vector<std::string> recipients = {};  // iGPT's `to`
  std::string date = {};                     // as iGPT wrote it
  std::string thread_id = {};
  std::string raw_json = {};
};

struct SearchAnswer {
  std::vector<SearchResult> results = {};
  std::string raw_json = {};
  CallInfo call = {};
};

struct ListAnswer {
  std::vector<Datasource> datasources = {};
  std::string raw_json = {};
  CallInfo call = {};
};

struct DisconnectAnswer {
  std::string raw_json = {};  // iGPT documents no shape: the answer, when it holds anything
  CallInfo call = {};
};

struct AuthorizeAnswer {
  std::string url = {};  // the page that the user has to open; never empty
  std::string raw_json = {};
  CallInfo call = {};
};

}  // namespace igpt::inline sdk_v1
