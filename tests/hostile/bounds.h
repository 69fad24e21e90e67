// How much igptd's memory may grow under attack. Measured (release build, two cores), then at least doubled, because
// how far an attack gets before it is noticed depends on the machine.
#pragma once

#include <cstddef>

namespace igpt::testing {

inline constexpr size_t kMiB = size_t{1} << 20;

// Any of the attacks on a neighbour. Measured: up to 410 MiB, for pings whose answers the sender doesn't read.
inline constexpr size_t kAttackBytes = 512 * kMiB;

// Hundreds of thousands of calls that are reset at once. Measured: 35 to 130 MiB; unguarded, 13 KiB for every call.
inline constexpr size_t kResetFloodBytes = 384 * kMiB;

// Thousands of calls that never send their request, on one connection. Measured: up to 260 MiB.
inline constexpr size_t kOpenStreamsBytes = 512 * kMiB;

// Requests that never become whole. Measured: 200 to 330 MiB.
inline constexpr size_t kLateRequestsBytes = 512 * kMiB;

// Endless headers. Measured: 125 MiB; unguarded, 450 MiB for every 16 MiB as HTTP/2 counts them.
inline constexpr size_t kHeaderFloodBytes = 384 * kMiB;

// A message of 512 MiB, or a hundred of 4 MiB. Measured: 95 to 135 MiB; unguarded, all of it.
inline constexpr size_t kLargeMessageBytes = 320 * kMiB;

// Compressed messages that would unpack to 512 MiB. Measured: 2 to 3 MiB; unpacked, more than all of it.
inline constexpr size_t kBombBytes = 16 * kMiB;

// Four answers of 15 MiB at once, of the worst kinds of JSON. Measured: 70 to 250 MiB.
inline constexpr size_t kJsonBombBytes = 512 * kMiB;

// 200,000 PINGs. Measured: 64 MiB, for the answers that the sender doesn't read.
inline constexpr size_t kPingFloodBytes = 192 * kMiB;

// A stopped reader of an endless stream: 256 KiB of queued events, one event, one buffer of libcurl's, and what gRPC
// holds for the stream. For each of a thousand readers.
inline constexpr size_t kStoppedReaderBytes = 768 << 10;

// A second attack of the same kind, which reuses the memory of the first. Measured: 0 to 60 MiB, once 133 (reset
// flood).
inline constexpr size_t kSecondAttackBytes = 256 * kMiB;

}  // namespace igpt::testing
