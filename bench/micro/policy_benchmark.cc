// The decisions: whether a request may be sent, what an answer's head means, and whether to retry.
#include <benchmark/benchmark.h>

#include <vector>

#include "absl/time/time.h"
#include "bench/micro/inputs.h"
#include "igpt/error.h"
#include "igpt/internal/call/endpoint.h"
#include "igpt/internal/policy/http_status.h"
#include "igpt/internal/policy/retry_policy.h"
#include "igpt/types.h"

namespace igpt::internal {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'741'944'413);

template <typename Request>
void CheckRequest(benchmark::State& state, const Request& request) {
  for (auto _ : state) {
    std::vector<FieldViolation> violations = Check(request, /*default_user=*/"");
    if (!violations.empty()) return state.SkipWithError("the request was refused");
    benchmark::DoNotOptimize(violations);
  }
}

void CheckAsk(benchmark::State& state) {
  const AskRequest request = {.user = "user-4711",
                              .input = "Which invoices are due this week, and who has to pay them?",
                              .quality = "cef-1-high"};
  CheckRequest(state, request);
}
BENCHMARK(CheckAsk);

void CheckAskWithSchema(benchmark::State& state) {
  AskRequest request = {.user = "user-4711", .input = "Read the invoice that Ada sent me."};
  request.output_format = {
      .kind = OutputFormat::Kind::kJsonSchema, .schema = bench::InvoiceSchema(), .strict = true, .name = "invoice"};
  CheckRequest(state, request);
}
BENCHMARK(CheckAskWithSchema);

void CheckSearch(benchmark::State& state) {
  const SearchRequest request = {.user = "user-4711", .query = "invoices for the hall", .max_results = 50};
  CheckRequest(state, request);
}
BENCHMARK(CheckSearch);

void CheckSearchWithDates(benchmark::State& state) {
  const SearchRequest request = {.user = "user-4711",
                                 .query = "invoices for the hall",
                                 .date_from = "2025-03-01",
                                 .date_to = "2025-03-14",
                                 .max_results = 50};
  CheckRequest(state, request);
}
BENCHMARK(CheckSearchWithDates);

void Judge(benchmark::State& state, const Route& route, int status, const char* content_type,
           const char* retry_after = "") {
  const ResponseHead head = {.status = status,
                             .content_type = content_type,
                             .content_encoding = "",
                             .retry_after = retry_after,
                             .server = "",
                             .framed = true,
                             .headers = {}};
  for (auto _ : state) benchmark::DoNotOptimize(CheckHead(route, head, kNow));
}

void HeadOfJson(benchmark::State& state) {
  Judge(state, kSearch.route, 200, "application/json; charset=utf-8");
}
BENCHMARK(HeadOfJson);

void HeadOfEventStream(benchmark::State& state) {
  Judge(state, kAsk.route, 200, "text/event-stream");
}
BENCHMARK(HeadOfEventStream);

void HeadOf429(benchmark::State& state) {
  Judge(state, kAsk.route, 429, "application/json", "Fri, 14 Mar 2025 09:27:00 GMT");
}
BENCHMARK(HeadOf429);

void RetryDecision(benchmark::State& state) {
  FailedAttempt failed{.error = {.kind = ErrorKind::kUnavailable, .call = {.attempts = 1, .http_status = 503}},
                       .transient = true};
  RetryBudget budget;
  for (auto _ : state) {
    for (int i = 0; i < 5; ++i) budget.OnRequest();  // what a retry costs
    benchmark::DoNotOptimize(NextDelay({}, failed, absl::InfiniteDuration(), 0.5, budget));
  }
}
BENCHMARK(RetryDecision);

}  // namespace
}  // namespace igpt::internal
