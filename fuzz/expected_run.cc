// The expected results of decoding the events and answers of Ask and Run.
#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <variant>

#include "fuzz/expected.h"
#include "fuzz/expected_fields.h"
#include "fuzz/require.h"

namespace igpt_fuzz {
namespace {

using igpt::ErrorKind;
using Type = JsonValue::Type;
using Payload = decltype(igpt::RunEvent::payload);

std::vector<igpt::Source> Sources(Members& parent, std::string_view key) {
  const JsonValue* metadata = parent.Object(key);
  if (metadata == nullptr) return {};
  Members members(*metadata, {"sources"});
  std::vector<igpt::Source> sources;
  if (const JsonValue* list = members.Array("sources"); list != nullptr) {
    for (const JsonValue& element : list->elements) {
      Members source(element, {"id", "type", "timestamp", "provider", "picture", "title"});
      if (element.type == Type::kObject) {
        sources.push_back({source.StringOr("id"), source.StringOr("type"), source.Time("timestamp", absl::Seconds(1)),
                           source.StringOr("provider"), source.StringOr("picture"), source.StringOr("title")});
      }
      if (!source.whole()) parent.Lost();
    }
  }
  if (!members.whole()) parent.Lost();
  return sources;
}

// The texts of the parts of this type. False if there are parts of another type.
std::pair<std::vector<std::string>, bool> Texts(Members& parent, std::string_view key, std::string_view type) {
  std::vector<std::string> texts;
  const JsonValue* list = parent.Array(key);
  if (list == nullptr) return {{}, true};
  bool all = true;
  for (const JsonValue& element : list->elements) {
    Members part(element, {"type", "text"});
    const std::string text = part.StringOr("text");
    if (part.StringOr("type") == type) {
      texts.push_back(text);
    } else {
      all = false;
    }
    if (!part.whole()) parent.Lost();
  }
  return {texts, all};
}

std::optional<Payload> Item(Members& event) {
  const JsonValue* value = event.Object("item");
  if (value == nullptr) return std::nullopt;
  Members item(*value, {"type", "name", "arguments", "callId", "role", "content", "summary", "metadata"});
  const std::string type = item.StringOr("type");
  const std::string name = item.StringOr("name"), arguments = item.StringOr("arguments");
  const std::string call_id = item.StringOr("callId"), role = item.StringOr("role");
  const auto [content, all_content] = Texts(item, "content", "output_text");
  const auto [summary, all_summary] = Texts(item, "summary", "summary_text");
  const std::vector<igpt::Source> sources = Sources(item, "metadata");

  std::optional<Payload> payload;
  bool all = false;
  if (type == "reasoning") {
    payload = igpt::Reasoning{.summary = summary};
    all = all_summary && all_content && content.empty() && item.HasOnly({"type", "summary", "content"});
  } else if (type == "function_call") {
    payload = igpt::ToolCall{name, arguments, call_id};
    all = item.HasOnly({"type", "name", "arguments", "callId"});
  } else if (type == "function_call_result") {
    payload = igpt::ToolOutput{name, call_id, sources};
    all = item.HasOnly({"type", "name", "callId", "metadata"});
  } else if (type == "message") {
    payload = igpt::OutputItem{.role = role, .text = content};
    all = all_content && item.HasOnly({"type", "role", "content"});
  }
  if (!all || !item.whole()) event.Lost();
  return payload;
}

std::optional<igpt::Usage> UsageOf(Members& parent) {
  const JsonValue* value = parent.Object("usage");
  if (value == nullptr) return std::nullopt;
  Members usage(*value, {"input_tokens", "output_tokens", "total_tokens"});
  igpt::Usage read = {usage.Int32("input_tokens").value_or(0), usage.Int32("output_tokens").value_or(0),
                      usage.Int32("total_tokens").value_or(0)};
  if (!usage.whole()) parent.Lost();
  return read;
}

// A value of any type as an output.
igpt::Output OutputOf(const JsonValue& value) {
  if (value.type == Type::kNull) return std::monostate();
  if (value.type == Type::kString) return igpt::Text{value.string};
  return igpt::Json{std::string(value.text)};
}

igpt::Answer AnswerOf(Members& members) {
  igpt::Answer answer;
  answer.id = members.StringOr("id");
  if (const JsonValue* output = members.Value("output"); output != nullptr) {
    answer.output = OutputOf(*output);
    if (!output->exact) members.Lost();
  }
  answer.usage = UsageOf(members);
  answer.sources = Sources(members, "metadata");
  answer.start_time = members.Time("timestampStart", absl::Milliseconds(1));
  answer.end_time = members.Time("timestamp", absl::Milliseconds(1));
  answer.duration = members.Duration("duration", absl::Milliseconds(1));
  return answer;
}

igpt::RunStarted StartOf(Members& members, bool include_raw) {
  igpt::RunStarted started;
  started.id = members.StringOr("id");
  started.start_time = members.Time("timestamp", absl::Milliseconds(1));
  started.output_format_json = members.Raw("output_format");
  const JsonValue* value = members.Object("context");
  if (value == nullptr) return started;
  Members context(*value, {"quality", "reasoning_effort", "indexed", "datasources"});
  started.quality = context.StringOr("quality");
  started.reasoning_effort = context.StringOr("reasoning_effort");
  started.indexed = context.Int32("indexed");
  if (const JsonValue* list = context.Array("datasources"); list != nullptr) {
    started.datasources = Datasources(*list, include_raw);
  }
  if (!context.whole()) members.Lost();
  return started;
}

// Returns false if JSON was requested and the text is not JSON.
bool MakeJson(igpt::Output& output) {
  const auto* text = std::get_if<igpt::Text>(&output);
  if (text == nullptr) return true;
  if (!JudgeJson(text->text).ok()) return false;
  output = igpt::Json{text->text};
  return true;
}

// By what comes before and after the type's last dot.
igpt::Stage StageOf(std::string_view type) {
  const size_t dot = type.rfind('.');
  if (dot == type.npos) return igpt::Stage::kUnspecified;
  const bool part = type.substr(0, dot).ends_with("_part");
  if (type.substr(dot + 1) == "start") return part ? igpt::Stage::kPartStarted : igpt::Stage::kStarted;
  if (type.substr(dot + 1) == "done") return part ? igpt::Stage::kPartDone : igpt::Stage::kDone;
  return igpt::Stage::kUnspecified;
}

bool NamesError(std::string_view type) {
  static const std::set<std::string_view> kWords = {"error", "failed"};
  const size_t dots = static_cast<size_t>(std::count(type.begin(), type.end(), '.'));
  return dots < 2 && kWords.contains(type.substr(dots == 0 ? 0 : type.find('.') + 1));
}

// The text of a stream's first delta. Half a character at its end waits for the next one.
std::string FirstDelta(const JsonValue& delta) {
  std::string text = delta.string;
  std::string_view raw = delta.text.substr(1, delta.text.size() - 2);
  if (delta.exact || raw.size() < 6) return text;
  const std::string_view escape = raw.substr(raw.size() - 6);
  raw.remove_suffix(6);
  const size_t last = raw.find_last_not_of('\\');
  const size_t backslashes = raw.size() - (last == raw.npos ? 0 : last + 1);
  const bool high = escape.starts_with("\\u") && (escape[2] == 'd' || escape[2] == 'D') &&
                    std::string_view("89abAB").find(escape[3]) != std::string_view::npos;
  if (high && backslashes % 2 == 0) text.resize(text.size() - 3);
  return text;
}

#define IGPT_RUN_KEYS                                                                                                 \
  "type", "seq", "delta", "turn", "text", "item", "id", "timestampStart", "timestamp", "duration", "output", "usage", \
      "metadata", "context", "output_format", "error", "code"

}  // namespace

Expected<igpt::RunEvent> ExpectedEvent(std::string_view data, std::string_view name,
                                       igpt::internal::AnswerDecoding decoding) {
  using Event = igpt::RunEvent;
  if (auto errors = TextErrors(data, ErrorKind::kMalformed); !errors.empty()) {
    return NamesError(name) ? Failure<Event>({ErrorKind::kApi}, std::string(name)) : Failure<Event>(errors);
  }
  const JsonValue root = ParseJson(data);
  if (const ApiError error = ReportedError(root); !error.kinds.empty()) return Failure<Event>(error.kinds, error.code);
  if (!IsUtf8(name)) return Failure<Event>({ErrorKind::kMalformed});

  Members members(root, {IGPT_RUN_KEYS});
  Event event;
  event.seq = members.Int32("seq");
  event.type = members.StringOr("type");
  if (event.type.empty()) event.type = name;
  const std::string code = members.StringOr("code");
  if (NamesError(event.type)) {
    const ApiError error = ErrorOfCode(code.empty() ? event.type : code);
    return Failure<Event>(error.kinds, error.code);
  }
  const std::optional<std::string> delta = members.String("delta"), text = members.String("text");
  const std::optional<int32_t> turn = members.Int32("turn");
  std::optional<Payload> item = Item(members);
  const igpt::Answer answer = AnswerOf(members);
  const igpt::RunStarted started = StartOf(members, decoding.include_raw);

  bool all = false;
  if (delta && (event.type.empty() || event.type == "message" || event.type == "run.output_text.delta")) {
    event.payload = igpt::Delta{FirstDelta(*members.Value("delta"))};
    all = members.HasOnly({"type", "seq", "delta"});
  } else if (event.type == "run.done" || (members.Has("output") && !event.type.starts_with("run."))) {
    if (root.type == Type::kObject) event.payload = answer;
    all = members.HasOnly(
        {"type", "seq", "id", "timestampStart", "timestamp", "duration", "output", "usage", "metadata"});
  } else if (event.type == "run.start") {
    if (root.type == Type::kObject) event.payload = started;
    all = members.HasOnly({"type", "seq", "id", "timestamp", "context", "output_format"});
  } else if (item) {
    event.payload = *std::move(item);
    all = members.HasOnly({"type", "seq", "item"});
  } else if (turn) {
    event.payload = igpt::Turn{.number = *turn};
    all = members.HasOnly({"type", "seq", "turn"});
  } else if (event.type == "run.reasoning_summary_part.start" || event.type == "run.reasoning_summary_part.done") {
    if (root.type == Type::kObject) {
      event.payload = text ? igpt::Reasoning{.summary = {*text}} : igpt::Reasoning{};
    }
    all = members.HasOnly({"type", "seq", "text"});
  }
  if (auto* turn_event = event.payload.As<igpt::Turn>()) turn_event->stage = StageOf(event.type);
  if (auto* reasoning = event.payload.As<igpt::Reasoning>()) reasoning->stage = StageOf(event.type);
  if (auto* message = event.payload.As<igpt::OutputItem>()) message->stage = StageOf(event.type);
  auto* whole = event.payload.As<igpt::Answer>();
  if (whole != nullptr && decoding.json_wanted && !MakeJson(whole->output)) {
    return Failure<Event>({ErrorKind::kMalformed});
  }
  if (!all || !members.whole() || decoding.include_raw) event.raw_json = data;
  return {{}, "", event};
}

Expected<igpt::Answer> ExpectedAnswer(std::string_view body, igpt::internal::AnswerDecoding decoding) {
  if (auto errors = TextErrors(body, ErrorKind::kProtocol); !errors.empty()) return Failure<igpt::Answer>(errors);
  const JsonValue root = ParseJson(body);
  const ApiError error = ReportedError(root);
  if (!error.kinds.empty()) return Failure<igpt::Answer>(error.kinds, error.code);

  igpt::Answer answer;
  bool all = true;
  Members members(root, {IGPT_RUN_KEYS});
  if (members.Seen("output")) {
    answer = AnswerOf(members);
    // Members that belong in an event but not in an answer: an answer has no field for them, so their mere presence
    // counts, not whether they are complete.
    all = members.whole() &&
          members.HasOnly({"id", "timestampStart", "timestamp", "duration", "output", "usage", "metadata"});
  } else {
    answer.output = OutputOf(root);
    all = root.exact;
  }
  if (decoding.json_wanted && !MakeJson(answer.output)) return Failure<igpt::Answer>({ErrorKind::kProtocol});
  if (!all || decoding.include_raw) answer.raw_json = body;
  return {{}, "", answer};
}

}  // namespace igpt_fuzz
