// From the SDK's structs to protobuf's bytes. ToProto moves the strings out of its argument, so each round pays for a
// copy that igptd doesn't make.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <utility>

#include "bench/micro/inputs.h"
#include "igpt/internal/json/codec.h"
#include "igpt/types.h"
#include "igpt/v1/recall.pb.h"
#include "igpt/v1/run_event.pb.h"
#include "service/api/translate.h"

namespace igptd {
namespace {

namespace bench = igpt::bench;
namespace internal = igpt::internal;
namespace v1 = igpt::v1;

// Only the copy of the struct: subtract this from the others.
template <typename Struct>
void Copy(benchmark::State& state, const Struct& original) {
  for (auto _ : state) {
    Struct copy = original;
    benchmark::DoNotOptimize(copy);
  }
}

template <typename Message, typename Struct>
void Translate(benchmark::State& state, const Struct& original) {
  Message message;  // reused, as in a stream
  for (auto _ : state) {
    Struct copy = original;
    ToProto(std::move(copy), &message);
    benchmark::DoNotOptimize(message);
  }
}

template <typename Message, typename Struct>
void Serialize(benchmark::State& state, Struct original) {
  Message message;
  ToProto(std::move(original), &message);
  std::string bytes;
  for (auto _ : state) {
    message.SerializeToString(&bytes);
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

igpt::RunEvent DeltaEvent() {
  return internal::DecodeRunEvent(bench::DeltaJson(), "", {}).value();
}

igpt::SearchAnswer Search4k() {
  return internal::DecodeSearch(bench::SearchJson(4096), /*include_raw=*/false).value();
}

void DeltaCopy(benchmark::State& state) {
  Copy(state, DeltaEvent());
}
BENCHMARK(DeltaCopy);

void DeltaToProto(benchmark::State& state) {
  Translate<v1::RunEvent>(state, DeltaEvent());
}
BENCHMARK(DeltaToProto);

void DeltaSerialize(benchmark::State& state) {
  Serialize<v1::RunEvent>(state, DeltaEvent());
}
BENCHMARK(DeltaSerialize);

void Search4kCopy(benchmark::State& state) {
  Copy(state, Search4k());
}
BENCHMARK(Search4kCopy);

void Search4kToProto(benchmark::State& state) {
  Translate<v1::SearchResponse>(state, Search4k());
}
BENCHMARK(Search4kToProto);

void Search4kSerialize(benchmark::State& state) {
  Serialize<v1::SearchResponse>(state, Search4k());
}
BENCHMARK(Search4kSerialize);

void AskFromProto(benchmark::State& state) {
  v1::AskRequest request;
  request.set_user("user-4711");
  request.set_input("Which invoices are due this week, and who has to pay them?");
  request.set_quality("cef-1-high");
  for (auto _ : state) benchmark::DoNotOptimize(FromProto(request));
}
BENCHMARK(AskFromProto);

}  // namespace
}  // namespace igptd
