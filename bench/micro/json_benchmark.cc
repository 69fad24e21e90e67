// Decodes iGPT's JSON into structs, and encodes requests as JSON. The cases named Nlohmann read the same fields from
// nlohmann's DOM: the cost of the obvious code.
//
// Decoding consumes the text, so each round pays for a copy that igptd doesn't make.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/micro/inputs.h"
#include "igpt/internal/call/endpoint.h"
#include "igpt/internal/json/codec.h"
#include "igpt/types.h"

namespace igpt::internal {
namespace {

constexpr int64_t kKilobyte = 1024;
constexpr int64_t kMegabyte = 1024 * kKilobyte;

void CountBytes(benchmark::State& state, const std::string& text) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

void Take(nlohmann::json& object, const char* key, std::string* out) {
  if (auto member = object.find(key); member != object.end()) *out = std::move(member->get_ref<std::string&>());
}

void DecodeEvent(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    absl::StatusOr<RunEvent> event = DecodeRunEvent(text, "", {});
    if (!event.ok() || !event->raw_json.empty()) return state.SkipWithError("the event was not understood");
    benchmark::DoNotOptimize(event);
  }
  CountBytes(state, text);
}

void DecodeDelta(benchmark::State& state) {
  DecodeEvent(state, bench::DeltaJson());
}
BENCHMARK(DecodeDelta);

void DecodeDeltaNlohmann(benchmark::State& state) {
  const std::string text = bench::DeltaJson();
  for (auto _ : state) {
    nlohmann::json json = nlohmann::json::parse(text);
    RunEvent event;
    event.seq = json.at("seq").get<int64_t>();
    Take(json, "type", &event.type);
    event.payload = Delta{};
    Take(json, "delta", &event.payload.As<Delta>()->text);
    benchmark::DoNotOptimize(event);
  }
  CountBytes(state, text);
}
BENCHMARK(DecodeDeltaNlohmann);

void DecodeRunDone(benchmark::State& state) {
  DecodeEvent(state, bench::RunDoneJson());
}
BENCHMARK(DecodeRunDone);

Source TakeSource(nlohmann::json& json) {
  Source source;
  Take(json, "id", &source.id);
  Take(json, "type", &source.type);
  source.item_time = absl::FromUnixSeconds(json.at("timestamp").get<int64_t>());
  Take(json, "provider", &source.provider);
  Take(json, "picture", &source.picture);
  Take(json, "title", &source.title);
  return source;
}

void DecodeRunDoneNlohmann(benchmark::State& state) {
  const std::string text = bench::RunDoneJson();
  for (auto _ : state) {
    nlohmann::json json = nlohmann::json::parse(text);
    RunEvent event;
    event.seq = json.at("seq").get<int64_t>();
    Take(json, "type", &event.type);
    event.payload = Answer{};
    Answer& answer = *event.payload.As<Answer>();
    Take(json, "id", &answer.id);
    answer.start_time = absl::FromUnixMillis(json.at("timestampStart").get<int64_t>());
    answer.end_time = absl::FromUnixMillis(json.at("timestamp").get<int64_t>());
    answer.duration = absl::Milliseconds(json.at("duration").get<int64_t>());
    Take(json, "output", &answer.output.emplace<Text>().text);
    const nlohmann::json& usage = json.at("usage");
    answer.usage = Usage{usage.at("input_tokens").get<int32_t>(), usage.at("output_tokens").get<int32_t>(),
                         usage.at("total_tokens").get<int32_t>()};
    for (nlohmann::json& source : json.at("metadata").at("sources")) answer.sources.push_back(TakeSource(source));
    benchmark::DoNotOptimize(event);
  }
  CountBytes(state, text);
}
BENCHMARK(DecodeRunDoneNlohmann);

void DecodeSearchBody(benchmark::State& state) {
  const std::string text = bench::SearchJson(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    absl::StatusOr<SearchAnswer> answer = DecodeSearch(text, /*include_raw=*/false);
    if (!answer.ok() || !answer->raw_json.empty()) return state.SkipWithError("the answer was not understood");
    benchmark::DoNotOptimize(answer);
  }
  CountBytes(state, text);
}
BENCHMARK(DecodeSearchBody)->Arg(4 * kKilobyte)->Arg(kMegabyte);

void DecodeSearchBodyNlohmann(benchmark::State& state) {
  const std::string text = bench::SearchJson(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    nlohmann::json json = nlohmann::json::parse(text);
    SearchAnswer answer;
    for (nlohmann::json& from : json.at("results")) {
      SearchResult& result = answer.results.emplace_back();
      Take(from, "id", &result.id);
      Take(from, "subject", &result.subject);
      Take(from, "content", &result.content);
      Take(from, "from", &result.sender);
      for (nlohmann::json& to : from.at("to")) result.recipients.push_back(std::move(to.get_ref<std::string&>()));
      Take(from, "date", &result.date);
      Take(from, "thread_id", &result.thread_id);
    }
    benchmark::DoNotOptimize(answer);
  }
  CountBytes(state, text);
}
BENCHMARK(DecodeSearchBodyNlohmann)->Arg(4 * kKilobyte)->Arg(kMegabyte);

void EncodeAskRequest(benchmark::State& state) {
  const AskRequest request = {.input = "Which invoices are due this week, and who has to pay them?",
                              .quality = "cef-1-high"};
  for (auto _ : state) benchmark::DoNotOptimize(Encode(request, "user-4711", /*stream=*/true));
}
BENCHMARK(EncodeAskRequest);

void EncodeAskRequestWithSchema(benchmark::State& state) {
  AskRequest request = {.input = "Read the invoice that Ada sent me.", .quality = "cef-1-high"};
  request.output_format = {
      .kind = OutputFormat::Kind::kJsonSchema, .schema = bench::InvoiceSchema(), .strict = true, .name = "invoice"};
  for (auto _ : state) benchmark::DoNotOptimize(Encode(request, "user-4711", /*stream=*/true));
}
BENCHMARK(EncodeAskRequestWithSchema);

}  // namespace
}  // namespace igpt::internal
