// What igptd may take under attack, beyond what it took before. Measured (release build, two cores) and then doubled or
// more, since how far an attack gets before it is noticed depends on the machine.
#pragma once

#include <cstddef>

namespace igpt::testing {

inline constexpr size_t kMiB = size_t{1} << 20;

// Hundreds of thousands of calls that are reset at once. Measured: 35 to 130 MiB; unguarded, 13 KiB a call without end.
inline constexpr size_t kResetFloodBytes = 384 * kMiB;

// 20,000 calls that never send their request, on one connection. Measured: 256 MiB, most of it before the first look.
inline constexpr size_t kOpenStreamsBytes = 512 * kMiB;

// Headers without end. Measured: 125 MiB; unguarded, 450 MiB for each 16 MiB of what HTTP/2 counts.
inline constexpr size_t kHeaderFloodBytes = 384 * kMiB;

// A message of 512 MiB, or a hundred of 4 MiB. Measured: 95 to 135 MiB; unguarded, all of it.
inline constexpr size_t kLargeMessageBytes = 320 * kMiB;

// Four answers of 15 MiB of JSON at once, the worst of its kinds. Measured: 70 to 250 MiB.
inline constexpr size_t kJsonBombBytes = 512 * kMiB;

// 200,000 PINGs. Measured: 64 MiB, for the answers that the sender doesn't take.
inline constexpr size_t kPingFloodBytes = 192 * kMiB;

// A reader that stopped, on an endless stream: 256 KiB of events queued, one event, one buffer of libcurl's and what
// gRPC holds for the stream. For each of a thousand.
inline constexpr size_t kStoppedReaderBytes = 768 << 10;

// A second attack of the same kind: what the first left is used again. Measured: 0 to 60 MiB, once 133 (reset flood).
inline constexpr size_t kSecondAttackBytes = 256 * kMiB;

}  // namespace igpt::testing
