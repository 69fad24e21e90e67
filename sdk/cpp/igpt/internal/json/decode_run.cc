// Decoding of what Ask and Run give: events, and whole answers. See codec.h.
#include <simdjson.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "igpt/internal/json/codec.h"
#include "igpt/internal/json/entities.h"
#include "igpt/internal/json/fields.h"
#include "igpt/internal/json/run_item.h"
#include "igpt/internal/json/scalar.h"
#include "igpt/internal/json/status.h"

namespace igpt::internal {
namespace {

Held ReadContext(Input& in, RunStarted* out) {
  Field fields[] = {
      Bind<ReadString>("quality", &out->quality),
      Bind<ReadString>("reasoning_effort", &out->reasoning_effort),
      Bind<ReadInt32>("indexed", &out->indexed),
      Bind<ReadList<Datasource, ReadDatasource>>("datasources", &out->datasources),
  };
  return ReadFields(in, fields);
}

Held ReadOutput(Input& in, Output* out) {
  switch (in.json.type()) {
    case JsonType::kNull:
      return Held::kWhole;
    case JsonType::kString:
      return ReadString(in, &out->emplace<Text>().text);
    default:
      return ReadRaw(in, &out->emplace<Json>().json);
  }
}

// Where JSON was asked for, an output that is a string holds it.
absl::Status MakeJson(TextKind kind, Output* output) {
  Text* text = std::get_if<Text>(output);
  if (text == nullptr) return absl::OkStatus();
  JsonReader json(std::move(text->text));
  if (json.Finish() != JsonError::kNone) {
    return MakeStatus(kind.not_json, "iGPT was asked for JSON, but its output is not JSON or nests too deep");
  }
  *output = Json{std::move(json).TakeText()};
  return absl::OkStatus();
}

// The text of a delta. Characters outside the BMP can be escaped as two surrogates, and cut between them.
struct DeltaText {
  std::string text;  // has U+FFFD for each surrogate without its other half
  // What is between the quotes, if there is such a surrogate. A view into the event.
  std::string_view escaped;
};

Held ReadDelta(Input& in, DeltaText* out) {
  const Held held = ReadString(in, &out->text);
  if (held == Held::kPart) {
    out->escaped = in.json.last_text();
    out->escaped = out->escaped.substr(1, out->escaped.size() - 2);
  }
  return held;
}

// The answer's text in this delta, after the half that waits in `half`, where its own last half waits then.
std::string JoinHalves(DeltaText delta, std::string& half) {
  if (delta.text.empty() || (half.empty() && delta.escaped.empty())) return std::move(delta.text);
  const std::string_view last = LastHalf(delta.escaped);
  const std::string_view rest = delta.escaped.substr(0, delta.escaped.size() - last.size());
  std::string text;
  if (delta.escaped.empty()) {
    UnescapeJson(half, &text);  // nothing that could be its other half follows
    text += delta.text;
  } else {
    UnescapeJson(half.append(rest), &text);
  }
  half = last;
  return text;
}

// All documented members of events and of whole answers.
struct Members {
  std::string error;
  std::string code;
  std::string type;
  std::optional<int32_t> seq;
  std::optional<DeltaText> delta;
  std::optional<int32_t> turn;
  std::optional<std::string> text;
  RunEventPayload item;
  RunStarted context;
  std::string output_format;
  Answer answer;
};

// The first kEventFields of them are those that any event can have.
constexpr size_t kEventFields = 2;
std::array<Field, 17> FieldsOf(Members& members) {
  return {{
      Bind<ReadString>("type", &members.type),
      Bind<ReadInt32>("seq", &members.seq),
      Bind<ReadDelta>("delta", &members.delta),
      Bind<ReadInt32>("turn", &members.turn),
      Bind<ReadString>("text", &members.text),
      Bind<ReadRunItem>("item", &members.item),
      Bind<ReadString>("id", &members.answer.id),
      Bind<ReadUnixMillis>("timestampStart", &members.answer.start_time),
      Bind<ReadUnixMillis>("timestamp", &members.answer.end_time),
      Bind<ReadMillis>("duration", &members.answer.duration),
      Bind<ReadOutput>("output", &members.answer.output),
      Bind<ReadUsage>("usage", &members.answer.usage),
      Bind<ReadMetadata>("metadata", &members.answer.sources),
      Bind<ReadContext>("context", &members.context),
      Bind<ReadRaw>("output_format", &members.output_format),
      Bind<ReadApiError>("error", &members.error),
      Bind<ReadString>("code", &members.code),
  }};
}

// "message" is the name that SSE itself gives to an event without one.
bool IsUnnamed(std::string_view type) {
  return type.empty() || type == "message";
}

// Whether the event is the whole answer. Without a run, one that has an output is, unless its name says that it is
// another event of a run: if that were taken for the end, a run that was cut off would look complete.
bool IsAnswer(std::string_view type, std::span<const Field> fields, RunProgress::Run run) {
  if (type == "run.done") return true;
  return run == RunProgress::Run::kNone && Has(fields, "output") && !type.starts_with("run.");
}

constexpr std::string_view kAnswerKeys[] = {
    "id", "timestampStart", "timestamp", "duration", "output", "usage", "metadata",
};

Stage StageOf(std::string_view type) {
  if (type.ends_with("_part.start")) return Stage::kPartStarted;
  if (type.ends_with("_part.done")) return Stage::kPartDone;
  if (type.ends_with(".start")) return Stage::kStarted;
  if (type.ends_with(".done")) return Stage::kDone;
  return Stage::kUnspecified;
}

void SetStage(Stage stage, RunEventPayload* payload) {
  std::visit(
      [stage](auto& alternative) {
        if constexpr (requires { alternative.stage; }) alternative.stage = stage;
      },
      *payload);
}

// Moves the members to where they belong in an event of that type. False when some of `fields` belong nowhere.
bool TakePayload(Members& members, std::span<const Field> fields, std::string_view type, RunProgress& progress,
                 RunEventPayload* payload) {
  if (progress.run == RunProgress::Run::kFinished && type != "run.start") return false;
  if (members.delta && (type == "run.output_text.delta" || IsUnnamed(type))) {
    *payload = Delta{JoinHalves(*std::move(members.delta), progress.half)};
    return HasOnly(fields, {"delta"});
  }
  if (IsAnswer(type, fields, progress.run)) {
    *payload = std::move(members.answer);
    return HasOnly(fields, kAnswerKeys);
  }
  if (type == "run.start") {
    members.context.id = std::move(members.answer.id);
    members.context.start_time = members.answer.end_time;
    members.context.output_format_json = std::move(members.output_format);
    *payload = std::move(members.context);
    return HasOnly(fields, {"id", "timestamp", "context", "output_format"});
  }
  if (members.item.index() != 0) {
    *payload = std::move(members.item);
    return HasOnly(fields, {"item"});
  }
  if (members.turn) {
    *payload = Turn{*members.turn};
    return HasOnly(fields, {"turn"});
  }
  if (type == "run.reasoning_summary_part.start" || type == "run.reasoning_summary_part.done") {
    Reasoning& reasoning = payload->emplace<Reasoning>();
    if (members.text) reasoning.summary.push_back(*std::move(members.text));
    return HasOnly(fields, {"text"});
  }
  return false;
}

}  // namespace

bool NamesError(std::string_view type) {
  const size_t dot = type.find('.');
  const std::string_view last = dot == type.npos ? type : type.substr(dot + 1);
  return last == "error" || last == "failed";
}

absl::StatusOr<RunEvent> DecodeRunEvent(std::string data, std::string_view name, AnswerDecoding decoding,
                                        RunProgress& progress) {
  Input in{JsonReader(std::move(data)), decoding.include_raw};
  const bool is_object = in.json.type() == JsonType::kObject;
  Members members;
  std::array fields = FieldsOf(members);
  const Held held = ReadFields(in, fields);
  if (absl::Status status = FinishReading(in.json, members.error, kEventText); !status.ok()) {
    return members.error.empty() && NamesError(name) ? ReportedError(name) : status;
  }
  if (!simdjson::validate_utf8(name)) {
    return MakeStatus(ErrorKind::kMalformed, "iGPT sent an event whose name is not valid UTF-8");
  }

  RunEvent event;
  event.seq = members.seq;
  event.type = members.type.empty() ? std::string(name) : std::move(members.type);
  if (NamesError(event.type)) return ReportedError(members.code.empty() ? event.type : members.code);
  RunEventPayload& payload = unstable::EventPayloads::Of(event.payload);
  const bool all =
      is_object && TakePayload(members, std::span(fields).subspan<kEventFields>(), event.type, progress, &payload);
  SetStage(StageOf(event.type), &payload);
  if (auto* answer = event.payload.As<Answer>(); answer != nullptr && decoding.json_wanted) {
    if (absl::Status status = MakeJson(kEventText, &answer->output); !status.ok()) return status;
  }
  if (held != Held::kWhole || !all || decoding.include_raw) event.raw_json = std::move(in.json).TakeText();
  // Only now: an answer that can't be read ends no run.
  if (event.payload.As<RunStarted>() != nullptr) progress.run = RunProgress::Run::kOpen;
  if (event.payload.As<Answer>() != nullptr) progress.run = RunProgress::Run::kFinished;
  return event;
}

absl::StatusOr<Answer> DecodeAnswer(std::string body, AnswerDecoding decoding) {
  Input in{JsonReader(std::move(body)), decoding.include_raw};
  const bool is_object = in.json.type() == JsonType::kObject;
  Members members;
  std::array fields = FieldsOf(members);
  const Held held = is_object ? ReadFields(in, fields) : ReadOutput(in, &members.answer.output);
  if (absl::Status status = FinishReading(in.json, members.error, kAnswerText); !status.ok()) return status;

  Answer answer;
  bool all = true;
  if (is_object && !Seen(fields, "output")) {
    answer.output = Json{std::string(in.json.last_text())};
  } else {
    answer = std::move(members.answer);
    all = held == Held::kWhole && HasOnly(fields, kAnswerKeys);
  }
  if (decoding.json_wanted) {
    if (absl::Status status = MakeJson(kAnswerText, &answer.output); !status.ok()) return status;
  }
  if (!all || decoding.include_raw) answer.raw_json = std::move(in.json).TakeText();
  return answer;
}

}  // namespace igpt::internal
