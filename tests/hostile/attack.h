// Measures attacks by igptd's memory, and by another caller (the neighbour) that keeps asking meanwhile.
//
//   Igptd igptd;
//   const AttackResult result = Attack(igptd, [&] { … });
//   ExpectHarmless(result, kResetFloodBytes);
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/http2_client.h"

namespace igpt::testing {

struct AttackResult {
  size_t grown = 0;        // by how many bytes igptd's peak memory exceeded its memory before
  int neighbour_asks = 0;  // calls of another caller, on its own connection
  std::vector<grpc::Status> neighbour_failures;
  absl::Duration slowest;        // the neighbour's slowest call
  size_t upstream_requests = 0;  // without the neighbour's
};

// A short, immediate answer, for the upstreams of attacks.
void AnswerAtOnce(Exchange& exchange);

// For a client that attacks: it connects from an address of its own, which igptd didn't cut off before.
Http2Client::Behaviour Attacker(Http2Client::Behaviour behaviour = {});

// The prefix of a gRPC message of this many bytes.
std::string MessageHead(size_t bytes);

// From now on, the process may have this many file descriptors.
void LimitDescriptors(pid_t pid, rlim_t count);

// Runs `attack`, with a neighbour that asks before, during and after it.
AttackResult Attack(Igptd& igptd, const std::function<void()>& attack);

// Expects that the neighbour got every answer in bearable time, and that memory grew by less than `bytes`.
void ExpectHarmless(const AttackResult& result, size_t bytes);

}  // namespace igpt::testing
