// The boundary to gRPC: parsing requests, and turning errors into statuses with details.
#include <benchmark/benchmark.h>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "igpt/error.h"
#include "igpt/v1/recall.pb.h"
#include "service/contract/call_status.h"
#include "service/rpc/parse.h"

namespace igptd {
namespace {

namespace v1 = igpt::v1;

grpc::ByteBuffer ToBuffer(const google::protobuf::Message& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

template <typename Request>
void Parse(benchmark::State& state, const Request& request) {
  const grpc::ByteBuffer bytes = ToBuffer(request);
  for (auto _ : state) {
    Request parsed;
    if (!rpc::ParseRequest(bytes, &parsed).ok()) return state.SkipWithError("the request was refused");
    benchmark::DoNotOptimize(parsed);
  }
}

void ParseAsk(benchmark::State& state) {
  v1::AskRequest request;
  request.set_user("user-4711");
  request.set_input("Which invoices are due this week, and who has to pay them?");
  request.set_quality("cef-1-high");
  Parse(state, request);
}
BENCHMARK(ParseAsk);

void ParseSearch(benchmark::State& state) {
  v1::SearchRequest request;
  request.set_user("user-4711");
  request.set_query("invoices for the hall");
  request.set_max_results(50);
  Parse(state, request);
}
BENCHMARK(ParseSearch);

void Encode(benchmark::State& state, const absl::Status& status) {
  for (auto _ : state) benchmark::DoNotOptimize(ToCallStatus(status, KeyOwner::kIgptd));
}

void StatusOfRateLimit(benchmark::State& state) {
  const igpt::Error error = {.kind = igpt::ErrorKind::kRateLimited,
                             .retry_after = absl::Seconds(7),
                             .call = {.attempts = 3, .http_status = 429}};
  Encode(state, igpt::MakeStatus(error, "HTTP 429: iGPT limits the rate of requests; try again later"));
}
BENCHMARK(StatusOfRateLimit);

void StatusOfInvalidRequest(benchmark::State& state) {
  Encode(state, igpt::InvalidRequest({{"user", "must be set, as there is no default user"},
                                      {"input", "must be set"},
                                      {"output_format.json_schema.schema", "must be a JSON object"}}));
}
BENCHMARK(StatusOfInvalidRequest);

void StatusOfOverload(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(ToCallStatus(Refusal::kOverloaded));
}
BENCHMARK(StatusOfOverload);

}  // namespace
}  // namespace igptd
