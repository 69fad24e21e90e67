#include "tests/unit/sdk/run_event_text.h"

#include <gtest/gtest.h>

#include <optional>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "igpt/error.h"
#include "igpt/unstable/event_payload.h"

namespace igpt::internal {
namespace {

void Add(std::string_view key, std::string_view value, std::string* line) {
  if (!line->empty()) *line += ' ';
  line->append(key).append("=").append(value);
}

void Add(std::string_view key, const std::optional<absl::Time>& time, std::string* line) {
  if (time) Add(key, absl::FormatTime("%Y-%m-%dT%H:%M:%E*S", *time, absl::UTCTimeZone()), line);
}

void Add(const std::vector<Source>& sources, std::string* line) {
  for (const Source& source : sources) {
    Add("source", absl::StrJoin({source.id, source.type, source.provider, source.picture, source.title}, "|"), line);
    Add("at", source.item_time, line);
  }
}

void Add(std::monostate, std::string* line) {
  Add("payload", "unknown", line);
}

void Add(const Delta& delta, std::string* line) {
  Add("delta", delta.text, line);
}

void Add(Stage stage, std::string* line) {
  constexpr std::string_view kNames[] = {"", "started", "done", "part_started", "part_done"};
  if (stage != Stage::kUnspecified) Add("stage", kNames[static_cast<size_t>(stage)], line);
}

void Add(const Turn& turn, std::string* line) {
  Add("turn", std::to_string(turn.number), line);
  Add(turn.stage, line);
}

void Add(const Reasoning& reasoning, std::string* line) {
  Add("reasoning", absl::StrJoin(reasoning.summary, "|"), line);
  Add(reasoning.stage, line);
}

void Add(const ToolCall& call, std::string* line) {
  Add("call", absl::StrJoin({call.name, call.arguments_json, call.call_id}, "|"), line);
}

void Add(const ToolOutput& output, std::string* line) {
  Add("called", absl::StrJoin({output.name, output.call_id}, "|"), line);
  Add(output.sources, line);
}

void Add(const OutputItem& item, std::string* line) {
  Add("item", item.role, line);
  Add("text", absl::StrJoin(item.text, "|"), line);
  Add(item.stage, line);
}

void Add(const Datasource& datasource, std::string* line) {
  Add("datasource",
      absl::StrJoin({datasource.id, datasource.service, datasource.type, datasource.status, datasource.title,
                     datasource.subtitle},
                    "|"),
      line);
  if (datasource.progress) Add("progress", std::to_string(*datasource.progress), line);
  Add("newest", datasource.newest_item_time, line);
  Add("oldest", datasource.oldest_item_time, line);
  if (!datasource.raw_json.empty()) Add("datasource_raw", datasource.raw_json, line);
}

void Add(const RunStarted& started, std::string* line) {
  Add("started", started.id, line);
  Add("at", started.start_time, line);
  Add("context", absl::StrJoin({started.quality, started.reasoning_effort}, "|"), line);
  if (started.indexed) Add("indexed", std::to_string(*started.indexed), line);
  for (const Datasource& datasource : started.datasources) Add(datasource, line);
  Add("format", started.output_format_json, line);
}

void Add(const Answer& answer, std::string* line) {
  EXPECT_EQ(answer.raw_json, "");
  Add("answer", answer.id, line);
  Add("from", answer.start_time, line);
  Add("to", answer.end_time, line);
  if (answer.duration) Add("duration", absl::FormatDuration(*answer.duration), line);
  if (const Text* text = std::get_if<Text>(&answer.output)) Add("text", text->text, line);
  if (const Json* json = std::get_if<Json>(&answer.output)) Add("json", json->json, line);
  if (const auto& usage = answer.usage) {
    Add("usage", absl::StrJoin({usage->input_tokens, usage->output_tokens, usage->total_tokens}, "+"), line);
  }
  Add(answer.sources, line);
}

}  // namespace

std::string Describe(const std::string& data, std::string_view name, AnswerDecoding decoding, RunProgress progress) {
  return DescribeNext(data, name, decoding, progress);
}

std::string DescribeNext(const std::string& data, std::string_view name, AnswerDecoding decoding,
                         RunProgress& progress) {
  const absl::StatusOr<RunEvent> event = DecodeRunEvent(data, name, decoding, progress);
  if (const std::optional<Error> error = ErrorOf(event.status())) {
    const std::string kind(ErrorKindName(error->kind));
    return error->api_code.empty() ? kind : kind + ":" + error->api_code;
  }
  std::string line;
  if (!event->type.empty()) Add("type", event->type, &line);
  if (event->seq) Add("seq", std::to_string(*event->seq), &line);
  std::visit([&line](const auto& payload) { Add(payload, &line); }, unstable::EventPayloads::Of(event->payload));
  if (event->raw_json.empty()) return line;
  EXPECT_EQ(event->raw_json, data);
  return line + " raw";
}

void Expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(Describe(c.data), c.description) << c.data;
}

}  // namespace igpt::internal
