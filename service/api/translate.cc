#include "service/api/translate.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "igpt/unstable/event_payload.h"

namespace igptd {
namespace {

namespace v1 = igpt::v1;

// Protobuf's own limits (google/protobuf/timestamp.proto, duration.proto).
constexpr int64_t kFirstSecond = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr int64_t kLastSecond = 253'402'300'799;   // 9999-12-31T23:59:59Z
constexpr int64_t kMaxDurationSeconds = 315'576'000'000;
constexpr int32_t kLastNano = 999'999'999;

igpt::OutputFormat FromProto(const v1::OutputFormat& proto) {
  igpt::OutputFormat format;
  switch (proto.format_case()) {
    case v1::OutputFormat::FORMAT_NOT_SET:
    case v1::OutputFormat::kText:
      format.kind = igpt::OutputFormat::Kind::kText;
      break;
    case v1::OutputFormat::kJson:
      format.kind = igpt::OutputFormat::Kind::kJson;
      break;
    case v1::OutputFormat::kJsonSchema:
      format.kind = igpt::OutputFormat::Kind::kJsonSchema;
      format.schema = proto.json_schema().schema();
      format.strict = proto.json_schema().strict();
      format.name = proto.json_schema().name();
      break;
  }
  return format;
}

// The parts of answers. Each function fills an empty message.

void Fill(igpt::Datasource&& datasource, v1::Datasource* out) {
  out->set_id(std::move(datasource.id));
  out->set_service(std::move(datasource.service));
  out->set_type(std::move(datasource.type));
  out->set_status(std::move(datasource.status));
  out->set_title(std::move(datasource.title));
  out->set_subtitle(std::move(datasource.subtitle));
  if (datasource.progress) out->set_progress(*datasource.progress);
  if (datasource.newest_item_time) *out->mutable_newest_item_time() = ToProto(*datasource.newest_item_time);
  if (datasource.oldest_item_time) *out->mutable_oldest_item_time() = ToProto(*datasource.oldest_item_time);
  out->set_raw_json(std::move(datasource.raw_json));
}

void Fill(igpt::Source&& source, v1::Source* out) {
  out->set_id(std::move(source.id));
  out->set_type(std::move(source.type));
  if (source.item_time) *out->mutable_item_time() = ToProto(*source.item_time);
  out->set_provider(std::move(source.provider));
  out->set_picture(std::move(source.picture));
  out->set_title(std::move(source.title));
}

void Fill(igpt::SearchResult&& result, v1::SearchResult* out) {
  out->set_id(std::move(result.id));
  out->set_subject(std::move(result.subject));
  out->set_content(std::move(result.content));
  out->set_sender(std::move(result.sender));
  for (std::string& to : result.recipients) out->add_recipients(std::move(to));
  out->set_date(std::move(result.date));
  out->set_thread_id(std::move(result.thread_id));
  out->set_raw_json(std::move(result.raw_json));
}

template <typename Item, typename Message>
void FillAll(std::vector<Item>&& items, google::protobuf::RepeatedPtrField<Message>* out) {
  out->Reserve(static_cast<int>(items.size()));
  for (Item& item : items) Fill(std::move(item), out->Add());
}

void Fill(igpt::Answer&& answer, v1::RunCompleted* out) {
  out->set_id(std::move(answer.id));
  if (auto* text = std::get_if<igpt::Text>(&answer.output)) out->set_text(std::move(text->text));
  if (auto* json = std::get_if<igpt::Json>(&answer.output)) out->set_json(std::move(json->json));
  if (answer.usage) {
    out->mutable_usage()->set_input_tokens(answer.usage->input_tokens);
    out->mutable_usage()->set_output_tokens(answer.usage->output_tokens);
    out->mutable_usage()->set_total_tokens(answer.usage->total_tokens);
  }
  FillAll(std::move(answer.sources), out->mutable_sources());
  if (answer.start_time) *out->mutable_start_time() = ToProto(*answer.start_time);
  if (answer.end_time) *out->mutable_end_time() = ToProto(*answer.end_time);
  if (answer.duration) *out->mutable_duration() = ToProto(*answer.duration);
}

// Sets the member of the oneof for an event's payload.
struct SetPayload {
  v1::RunEvent* out;

  void operator()(std::monostate) const {}
  void operator()(igpt::Delta&& delta) const { out->set_delta(std::move(delta.text)); }
  void operator()(igpt::RunStarted&& started) const {
    v1::RunStarted* to = out->mutable_started();
    to->set_id(std::move(started.id));
    if (started.start_time) *to->mutable_start_time() = ToProto(*started.start_time);
    to->set_quality(std::move(started.quality));
    to->set_reasoning_effort(std::move(started.reasoning_effort));
    if (started.indexed) to->set_indexed(*started.indexed);
    FillAll(std::move(started.datasources), to->mutable_datasources());
    to->set_output_format_json(std::move(started.output_format_json));
  }
  void operator()(igpt::Answer&& answer) const { Fill(std::move(answer), out->mutable_completed()); }
  void operator()(igpt::Turn&& turn) const {
    out->mutable_turn()->set_number(turn.number);
    out->mutable_turn()->set_stage(ToProto(turn.stage));
  }
  void operator()(igpt::Reasoning&& reasoning) const {
    v1::Reasoning* to = out->mutable_reasoning();
    for (std::string& part : reasoning.summary) to->add_summary(std::move(part));
    to->set_stage(ToProto(reasoning.stage));
  }
  void operator()(igpt::ToolCall&& call) const {
    v1::ToolCall* to = out->mutable_tool_call();
    to->set_name(std::move(call.name));
    to->set_arguments_json(std::move(call.arguments_json));
    to->set_call_id(std::move(call.call_id));
  }
  void operator()(igpt::ToolOutput&& output) const {
    v1::ToolOutput* to = out->mutable_tool_output();
    to->set_name(std::move(output.name));
    to->set_call_id(std::move(output.call_id));
    FillAll(std::move(output.sources), to->mutable_sources());
  }
  void operator()(igpt::OutputItem&& item) const {
    v1::OutputItem* to = out->mutable_output_item();
    to->set_role(std::move(item.role));
    for (std::string& part : item.text) to->add_text(std::move(part));
    to->set_stage(ToProto(item.stage));
  }
};

}  // namespace

igpt::AskRequest FromProto(const v1::AskRequest& proto) {
  return {.user = proto.user(),
          .input = proto.input(),
          .quality = proto.quality(),
          .output_format = FromProto(proto.output_format()),
          .include_raw = proto.include_raw()};
}

igpt::RunRequest FromProto(const v1::RunRequest& proto) {
  return {.user = proto.user(),
          .input = proto.input(),
          .quality = proto.quality(),
          .output_format = FromProto(proto.output_format()),
          .reasoning_effort = proto.reasoning_effort(),
          .instructions = proto.instructions(),
          .include_raw = proto.include_raw()};
}

igpt::SearchRequest FromProto(const v1::SearchRequest& proto) {
  return {.user = proto.user(),
          .query = proto.query(),
          .date_from = proto.date_from(),
          .date_to = proto.date_to(),
          .max_results = proto.max_results(),
          .filter_people = proto.filter_people(),
          .include_raw = proto.include_raw()};
}

igpt::ListRequest FromProto(const v1::ListRequest& proto) {
  return {.user = proto.user(), .include_raw = proto.include_raw()};
}

igpt::DisconnectRequest FromProto(const v1::DisconnectRequest& proto) {
  return {.user = proto.user(), .id = proto.id(), .include_raw = proto.include_raw()};
}

igpt::AuthorizeRequest FromProto(const v1::AuthorizeRequest& proto) {
  return {.user = proto.user(),
          .service = proto.service(),
          .scope = proto.scope(),
          .redirect_uri = proto.redirect_uri(),
          .state = proto.state(),
          .include_raw = proto.include_raw()};
}

void ToProto(igpt::RunEvent&& event, v1::RunEvent* out) {
  out->Clear();
  if (event.seq) out->set_seq(*event.seq);
  out->set_type(std::move(event.type));
  std::visit(SetPayload{out}, std::move(igpt::unstable::EventPayloads::Of(event.payload)));
  if (!event.raw_json.empty()) out->set_raw_json(std::move(event.raw_json));  // setting an empty one would allocate
}

void ToProto(igpt::SearchAnswer&& answer, v1::SearchResponse* out) {
  out->Clear();
  FillAll(std::move(answer.results), out->mutable_results());
  out->set_raw_json(std::move(answer.raw_json));
}

void ToProto(igpt::ListAnswer&& answer, v1::ListResponse* out) {
  out->Clear();
  FillAll(std::move(answer.datasources), out->mutable_datasources());
  out->set_raw_json(std::move(answer.raw_json));
}

void ToProto(igpt::DisconnectAnswer&& answer, v1::DisconnectResponse* out) {
  out->Clear();
  out->set_raw_json(std::move(answer.raw_json));
}

void ToProto(igpt::AuthorizeAnswer&& answer, v1::AuthorizeResponse* out) {
  out->Clear();
  out->set_url(std::move(answer.url));
  out->set_raw_json(std::move(answer.raw_json));
}

v1::Stage ToProto(igpt::Stage stage) {
  switch (stage) {
    case igpt::Stage::kUnspecified:
      break;
    case igpt::Stage::kStarted:
      return v1::STAGE_STARTED;
    case igpt::Stage::kDone:
      return v1::STAGE_DONE;
    case igpt::Stage::kPartStarted:
      return v1::STAGE_PART_STARTED;
    case igpt::Stage::kPartDone:
      return v1::STAGE_PART_DONE;
  }
  return v1::STAGE_UNSPECIFIED;
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const int64_t seconds = absl::ToUnixSeconds(time);  // rounds down, saturates
  proto.set_seconds(std::clamp(seconds, kFirstSecond, kLastSecond));
  if (seconds > kLastSecond) {
    proto.set_nanos(kLastNano);
  } else if (seconds >= kFirstSecond) {
    proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  }
  return proto;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  const absl::Duration limit = absl::Seconds(kMaxDurationSeconds);
  absl::Duration rest = std::clamp(duration, -limit, limit);
  google::protobuf::Duration proto;
  proto.set_seconds(absl::IDivDuration(rest, absl::Seconds(1), &rest));  // towards zero: both parts have one sign
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

}  // namespace igptd
