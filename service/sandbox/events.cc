#include "service/sandbox/events.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "service/sandbox/text.h"

namespace igptd::sandbox {
namespace {

constexpr std::string_view kCallId = "call-1";
constexpr std::string_view kTool = "search_messages";
// A delta is a word; a longer word, or JSON without a space, is cut after so many bytes.
constexpr size_t kMaxDelta = 24;

std::string Text(const Run& run) {
  return run.output.is_string() ? run.output.get<std::string>() : Dump(run.output);
}

std::vector<std::string> Deltas(std::string_view text) {
  const auto inside_character = [&](size_t at) { return at < text.size() && (text[at] & 0xC0) == 0x80; };
  std::vector<std::string> deltas;
  while (!text.empty()) {
    size_t end = std::min({text.find(' ', 1), text.size(), kMaxDelta});
    while (inside_character(end)) ++end;
    deltas.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return deltas;
}

// Roughly what a model would count: four bytes a token.
Json Usage(const Run& run) {
  const size_t input = (run.question.size() + Dump(run.sources).size()) / 4 + 1;
  const size_t output = Text(run).size() / 4 + 1;
  return {{"input_tokens", input}, {"output_tokens", output}, {"total_tokens", input + output}};
}

}  // namespace

std::vector<Json> RunEvents(const Run& run) {
  std::vector<Json> events;
  const auto add = [&](std::string_view type, const Json& fields = Json::object()) {
    Json event = {{"type", type}, {"seq", events.size()}};
    event.update(fields);
    events.push_back(std::move(event));
  };
  const auto item = [](std::string_view type, const Json& fields = Json::object()) {
    Json inner = {{"type", type}};
    inner.update(fields);
    return Json{{"item", std::move(inner)}};
  };
  const auto summary = Cat("I found ", run.sources.size(), " messages to answer from.");

  add("run.start", {{"id", run.id},
                    {"timestamp", absl::ToUnixMillis(run.started)},
                    {"context",
                     {{"quality", run.quality},
                      {"reasoning_effort", run.reasoning_effort},
                      {"indexed", run.datasources.size()},
                      {"datasources", run.datasources}}},
                    {"output_format", run.output_format}});
  add("run.turn.start", {{"turn", 1}});
  add("run.reasoning_item.start", item("reasoning"));
  add("run.reasoning_item.done", item("reasoning", {{"content", Json::array()}, {"summary", Json::array()}}));
  add("run.tool_call_item",
      item("function_call", {{"arguments", Dump({{"query", run.question}})}, {"name", kTool}, {"callId", kCallId}}));
  add("run.turn.done", {{"turn", 1}});
  add("run.tool_call_output_item",
      item("function_call_result", {{"name", kTool}, {"callId", kCallId}, {"metadata", {{"sources", run.sources}}}}));
  add("run.turn.start", {{"turn", 2}});
  add("run.reasoning_item.start", item("reasoning"));
  add("run.reasoning_summary_part.start");
  add("run.reasoning_summary_part.done", {{"text", summary}});
  add("run.reasoning_item.done",
      item("reasoning",
           {{"content", Json::array()}, {"summary", Json::array({{{"type", "summary_text"}, {"text", summary}}})}}));
  add("run.output_item.start", item("message"));
  for (const std::string& delta : Deltas(Text(run))) add("run.output_text.delta", {{"delta", delta}});
  add("run.output_item.done",
      item("message",
           {{"content", Json::array({{{"type", "output_text"}, {"text", Text(run)}}})}, {"role", "assistant"}}));
  add("run.turn.done", {{"turn", 2}});
  return events;
}

Json RunDone(const Run& run, size_t seq, absl::Duration took) {
  Json event = {{"type", "run.done"}, {"seq", seq}};
  event.update(WholeAnswer(run, took));
  return event;
}

Json WholeAnswer(const Run& run, absl::Duration took) {
  return {{"id", run.id},
          {"timestampStart", absl::ToUnixMillis(run.started)},
          {"timestamp", absl::ToUnixMillis(run.started + took)},
          {"duration", absl::ToInt64Milliseconds(took)},
          {"output", run.output},
          {"usage", Usage(run)},
          {"metadata", {{"sources", run.sources}}}};
}

}  // namespace igptd::sandbox
