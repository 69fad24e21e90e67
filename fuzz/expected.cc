// The expected results of decoding everything but Ask's answers, and how answers are compared.
#include "fuzz/expected.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fuzz/expected_fields.h"
#include "fuzz/require.h"
#include "igpt/unstable/event_payload.h"

namespace igpt_fuzz {
namespace {

using igpt::ErrorKind;
using Type = JsonValue::Type;

std::vector<igpt::SearchResult> Results(const JsonValue& list, bool include_raw) {
  std::vector<igpt::SearchResult> results;
  for (const JsonValue& element : list.elements) {
    Members members(element, {"id", "subject", "content", "body", "from", "to", "date", "thread_id"});
    igpt::SearchResult& result = results.emplace_back();
    const std::optional<std::string> content = members.String("content"), body = members.String("body");
    result.id = members.StringOr("id");
    result.subject = members.StringOr("subject");
    result.content = content ? *content : body.value_or("");
    result.sender = members.StringOr("from");
    result.recipients = members.Strings("to");
    result.date = members.StringOr("date");
    result.thread_id = members.StringOr("thread_id");
    if (!members.whole() || (content && body) || include_raw) result.raw_json = element.text;
  }
  return results;
}

// Text that shows everything in a struct: structs with the same text are equal.

void Show(std::string& out, std::string_view name, const std::string& text) {
  absl::StrAppend(&out, std::string(name), "=", text.size(), ":", text, "\n");
}
void Show(std::string& out, std::string_view name, int32_t number) {
  Show(out, name, absl::StrCat(number));
}
void Show(std::string& out, std::string_view name, double number) {
  Show(out, name, absl::StrFormat("%a", number));
}
void Show(std::string& out, std::string_view name, absl::Duration duration) {
  Show(out, name, absl::FormatDuration(duration));
}
void Show(std::string& out, std::string_view name, absl::Time time) {
  Show(out, name, time - absl::UnixEpoch());
}
void Show(std::string& out, std::string_view name, const igpt::Usage& value) {
  absl::StrAppend(&out, std::string(name), "\n");
  Show(out, "input_tokens", value.input_tokens);
  Show(out, "output_tokens", value.output_tokens);
  Show(out, "total_tokens", value.total_tokens);
}
template <typename T>
void Show(std::string& out, std::string_view name, const std::optional<T>& value) {
  if (value) Show(out, name, *value);
}
void Show(std::string& out, std::string_view name, const igpt::Datasource& value) {
  absl::StrAppend(&out, std::string(name), "\n");
  Show(out, "id", value.id);
  Show(out, "service", value.service);
  Show(out, "type", value.type);
  Show(out, "status", value.status);
  Show(out, "title", value.title);
  Show(out, "subtitle", value.subtitle);
  Show(out, "progress", value.progress);
  Show(out, "newest", value.newest_item_time);
  Show(out, "oldest", value.oldest_item_time);
  Show(out, "raw_json", value.raw_json);
}
void Show(std::string& out, std::string_view name, const igpt::Source& value) {
  absl::StrAppend(&out, std::string(name), "\n");
  Show(out, "id", value.id);
  Show(out, "type", value.type);
  Show(out, "timestamp", value.item_time);
  Show(out, "provider", value.provider);
  Show(out, "picture", value.picture);
  Show(out, "title", value.title);
}
void Show(std::string& out, std::string_view name, const igpt::SearchResult& value) {
  absl::StrAppend(&out, std::string(name), "\n");
  Show(out, "id", value.id);
  Show(out, "subject", value.subject);
  Show(out, "content", value.content);
  Show(out, "from", value.sender);
  for (const std::string& to : value.recipients) Show(out, "to", to);
  Show(out, "date", value.date);
  Show(out, "thread_id", value.thread_id);
  Show(out, "raw_json", value.raw_json);
}
template <typename T>
void Show(std::string& out, std::string_view name, const std::vector<T>& values) {
  for (const T& value : values) Show(out, name, value);
}

struct ShowPayload {
  std::string& out;

  void operator()(std::monostate) const { out += "none\n"; }
  void operator()(const igpt::Text& text) const { Show(out, "text", text.text); }
  void operator()(const igpt::Json& json) const { Show(out, "json", json.json); }
  void operator()(const igpt::Delta& delta) const { Show(out, "delta", delta.text); }
  void operator()(const igpt::RunStarted& started) const {
    out += "started\n";
    Show(out, "id", started.id);
    Show(out, "start_time", started.start_time);
    Show(out, "quality", started.quality);
    Show(out, "reasoning_effort", started.reasoning_effort);
    Show(out, "indexed", started.indexed);
    Show(out, "datasources", started.datasources);
    Show(out, "output_format_json", started.output_format_json);
  }
  void operator()(const igpt::Answer& answer) const {
    out += "answer\n";
    Show(out, "id", answer.id);
    std::visit(*this, answer.output);
    Show(out, "usage", answer.usage);
    Show(out, "sources", answer.sources);
    Show(out, "start_time", answer.start_time);
    Show(out, "end_time", answer.end_time);
    Show(out, "duration", answer.duration);
    Show(out, "raw_json", answer.raw_json);
  }
  void operator()(const igpt::Turn& turn) const {
    Show(out, "turn", turn.number);
    Show(out, "stage", static_cast<int32_t>(turn.stage));
  }
  void operator()(const igpt::Reasoning& reasoning) const {
    out += "reasoning\n";
    Show(out, "summary", reasoning.summary);
    Show(out, "stage", static_cast<int32_t>(reasoning.stage));
  }
  void operator()(const igpt::ToolCall& call) const {
    out += "tool_call\n";
    Show(out, "name", call.name);
    Show(out, "arguments_json", call.arguments_json);
    Show(out, "call_id", call.call_id);
  }
  void operator()(const igpt::ToolOutput& output) const {
    out += "tool_output\n";
    Show(out, "name", output.name);
    Show(out, "call_id", output.call_id);
    Show(out, "sources", output.sources);
  }
  void operator()(const igpt::OutputItem& item) const {
    out += "output_item\n";
    Show(out, "role", item.role);
    Show(out, "text", item.text);
    Show(out, "stage", static_cast<int32_t>(item.stage));
  }
};

std::string Shown(const igpt::RunEvent& event) {
  std::string out;
  Show(out, "seq", event.seq);
  Show(out, "type", event.type);
  std::visit(ShowPayload{out}, igpt::unstable::EventPayloads::Of(event.payload));
  Show(out, "raw_json", event.raw_json);
  return out;
}
std::string Shown(const igpt::Answer& answer) {
  std::string out;
  ShowPayload{out}(answer);
  return out;
}
std::string Shown(const igpt::SearchAnswer& answer) {
  std::string out;
  Show(out, "result", answer.results);
  Show(out, "raw_json", answer.raw_json);
  return out;
}
std::string Shown(const igpt::ListAnswer& answer) {
  std::string out;
  Show(out, "datasource", answer.datasources);
  Show(out, "raw_json", answer.raw_json);
  return out;
}
std::string Shown(const igpt::DisconnectAnswer& answer) {
  return answer.raw_json;
}
std::string Shown(const igpt::AuthorizeAnswer& answer) {
  std::string out;
  Show(out, "url", answer.url);
  Show(out, "raw_json", answer.raw_json);
  return out;
}

std::string Shown(const std::vector<ErrorKind>& kinds) {
  std::string out;
  for (const ErrorKind kind : kinds) absl::StrAppend(&out, std::string(igpt::ErrorKindName(kind)), " ");
  return out;
}

template <typename T>
void Compare(const absl::StatusOr<T>& got, const Expected<T>& expected) {
  if (got.ok()) {
    RequireEqual("", Shown(expected.errors), "invalid input is an error");
    RequireEqual(Shown(*got), Shown(expected.answer), "the typed fields and the raw JSON are what was sent");
    Require(IsUtf8(Shown(*got)), "everything that is passed on is UTF-8");
    return;
  }
  const std::optional<igpt::Error> error = igpt::ErrorOf(got.status());
  Require(error.has_value(), "every error has a kind");
  const auto& kinds = expected.errors;
  if (std::find(kinds.begin(), kinds.end(), error->kind) == kinds.end()) {
    RequireEqual(Shown({error->kind}), Shown(kinds), "an error is of the documented kind");
  }
  RequireEqual(error->api_code, expected.api_code, "iGPT's code is passed on");
  const absl::string_view message = got.status().message();
  Require(!message.empty() && IsPrintableAscii({message.data(), message.size()}), "an error's message is one line");
}

// The root of a text without errors whose type is one of these; otherwise the failure.
template <typename T>
struct Root {
  std::optional<Expected<T>> failure;
  JsonValue value;
};
template <typename T>
Root<T> RootOf(std::string_view body) {
  if (auto errors = TextErrors(body, ErrorKind::kProtocol); !errors.empty()) return {Failure<T>(errors), {}};
  JsonValue value = ParseJson(body);
  if (const ApiError error = ReportedError(value); !error.kinds.empty()) {
    return {Failure<T>(error.kinds, error.code), {}};
  }
  return {std::nullopt, std::move(value)};
}

}  // namespace

Expected<igpt::SearchAnswer> ExpectedSearch(std::string_view body, bool include_raw) {
  const Root root = RootOf<igpt::SearchAnswer>(body);
  if (root.failure) return *root.failure;
  igpt::SearchAnswer answer;
  bool whole = true;
  if (root.value.type == Type::kArray) {
    answer.results = Results(root.value, include_raw);
  } else if (root.value.type == Type::kObject) {
    Members members(root.value, {"error", "results"});
    if (const JsonValue* list = members.Array("results"); list != nullptr) answer.results = Results(*list, include_raw);
    whole = members.whole();
  } else if (root.value.type != Type::kNull) {
    return Failure<igpt::SearchAnswer>({ErrorKind::kProtocol});
  }
  if (!whole || include_raw) answer.raw_json = body;
  return {{}, "", answer};
}

Expected<igpt::ListAnswer> ExpectedList(std::string_view body, bool include_raw) {
  const Root root = RootOf<igpt::ListAnswer>(body);
  if (root.failure) return *root.failure;
  bool whole = true;
  const JsonValue* list = nullptr;
  if (root.value.type == Type::kArray) {
    list = &root.value;
  } else {
    Members members(root.value, {"error", "datasources"});
    list = members.Array("datasources");
    whole = members.whole();
  }
  if (list == nullptr) return Failure<igpt::ListAnswer>({ErrorKind::kProtocol});
  igpt::ListAnswer answer{Datasources(*list, include_raw), {}};
  if (!whole || include_raw) answer.raw_json = body;
  return {{}, "", answer};
}

Expected<igpt::DisconnectAnswer> ExpectedDisconnect(std::string_view body, bool include_raw) {
  const Root root = RootOf<igpt::DisconnectAnswer>(body);
  if (root.failure) return *root.failure;
  if (root.value.type != Type::kObject) return Failure<igpt::DisconnectAnswer>({ErrorKind::kProtocol});
  igpt::DisconnectAnswer answer;
  if (!root.value.keys.empty() || include_raw) answer.raw_json = body;
  return {{}, "", answer};
}

Expected<igpt::AuthorizeAnswer> ExpectedAuthorize(std::string_view body, bool include_raw) {
  const Root root = RootOf<igpt::AuthorizeAnswer>(body);
  if (root.failure) return *root.failure;
  Members members(root.value, {"error", "url"});
  igpt::AuthorizeAnswer answer{members.StringOr("url"), {}};
  if (answer.url.empty()) return Failure<igpt::AuthorizeAnswer>({ErrorKind::kProtocol});
  if (!members.whole() || include_raw) answer.raw_json = body;
  return {{}, "", answer};
}

void RequireExpected(const absl::StatusOr<igpt::RunEvent>& got, const Expected<igpt::RunEvent>& expected) {
  Compare(got, expected);
}
void RequireExpected(const absl::StatusOr<igpt::Answer>& got, const Expected<igpt::Answer>& expected) {
  Compare(got, expected);
}
void RequireExpected(const absl::StatusOr<igpt::SearchAnswer>& got, const Expected<igpt::SearchAnswer>& expected) {
  Compare(got, expected);
}
void RequireExpected(const absl::StatusOr<igpt::ListAnswer>& got, const Expected<igpt::ListAnswer>& expected) {
  Compare(got, expected);
}
void RequireExpected(const absl::StatusOr<igpt::DisconnectAnswer>& got,
                     const Expected<igpt::DisconnectAnswer>& expected) {
  Compare(got, expected);
}
void RequireExpected(const absl::StatusOr<igpt::AuthorizeAnswer>& got,
                     const Expected<igpt::AuthorizeAnswer>& expected) {
  Compare(got, expected);
}

}  // namespace igpt_fuzz
