// The SSE parser on 100 delta events: in one buffer, and in pieces as in TCP segments.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "bench/micro/inputs.h"
#include "igpt/internal/http/sse_parser.h"
#include "igpt/options.h"

namespace igpt::internal {
namespace {

constexpr int kEvents = 100;

void FeedDeltas(benchmark::State& state, size_t piece_bytes) {
  const std::string stream = bench::DeltaStream(kEvents);
  for (auto _ : state) {
    SseParser parser(Options().max_event_bytes);
    int events = 0;
    for (std::string_view rest = stream; !rest.empty();) {
      const std::string_view piece = rest.substr(0, piece_bytes);
      rest.remove_prefix(piece.size());
      const absl::Status fed = parser.Feed(piece, [&events](SseEvent event) {
        benchmark::DoNotOptimize(event.data.data());
        ++events;
      });
      if (!fed.ok()) return state.SkipWithError("the stream was refused");
    }
    if (events != kEvents) return state.SkipWithError("events were lost");
  }
  using benchmark::Counter;
  state.counters["per_event"] = Counter(kEvents, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(stream.size()));
}

void SseOneBuffer(benchmark::State& state) {
  FeedDeltas(state, std::string::npos);
}
BENCHMARK(SseOneBuffer);

void SsePieces(benchmark::State& state) {
  FeedDeltas(state, static_cast<size_t>(state.range(0)));
}
BENCHMARK(SsePieces)->Arg(1400);

}  // namespace
}  // namespace igpt::internal
