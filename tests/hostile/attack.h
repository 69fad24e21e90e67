// What every attack is measured by: igptd's memory, and a neighbour who goes on asking.
//
//   Igptd igptd;
//   const AttackResult result = Attack(igptd, [&] { … });
//   ExpectHarmless(result, kResetFloodBytes);
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::testing {

struct AttackResult {
  size_t grown = 0;        // igptd's peak memory beyond what it took before, in bytes
  int neighbour_asks = 0;  // calls of a caller on a connection of its own meanwhile
  std::vector<grpc::Status> neighbour_failures;
  absl::Duration slowest;        // of its calls
  size_t upstream_requests = 0;  // beside those of the neighbour
};

// An answer that is over at once: upstreams of attacks give it.
void AnswerAtOnce(Exchange& exchange);

// Runs `attack` with a neighbour who asks before, meanwhile, and after.
AttackResult Attack(Igptd& igptd, const std::function<void()>& attack);

// The neighbour got every answer, none unbearably late, and memory stayed below `bytes`.
void ExpectHarmless(const AttackResult& result, size_t bytes);

}  // namespace igpt::testing
