// UNSTABLE: may change in every version. For programs whose calls live on an event loop of their own (event_loop.h),
// such as a gRPC server.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "igpt/client.h"
#include "igpt/event_stream.h"
#include "igpt/options.h"
#include "igpt/types.h"
#include "igpt/unstable/event_loop.h"

namespace igpt::unstable {

// All but Create on the loop's thread only.
struct OnLoop {
  // A client whose calls live on this loop, which must outlive it. Calls that are made on its thread start without a
  // thread hop. Callbacks run on that thread unless there is an executor, and must then not block. Connections are
  // limited only by Options::max_connections, if that is set.
  static absl::StatusOr<Client> Create(Options options, EventLoop& loop);

  // The next result of the stream, if it is here already; else nullopt.
  static std::optional<EventResult> TryRead(EventStream& stream);
  // Whether TryRead() would give something.
  static bool Readable(const EventStream& stream);
  // Runs `wake` once, later, when the stream is readable or `timeout` has passed. Replaces an earlier wait; counts as
  // the one pending read.
  static void WaitReadable(EventStream& stream, absl::Duration timeout, absl::AnyInvocable<void()> wake);

  // A whole answer for whoever reads streams: it is the one event, an Answer. As Recall::Ask, it is repeated to its
  // end.
  static EventStream AskWhole(const Recall& recall, AskRequest request, CallOptions options);
  static EventStream RunWhole(const Recall& recall, RunRequest request, CallOptions options);

  // How many retries may be sent now: they are limited to 20 % of recent requests, beyond a burst of 10.
  static double RetriesLeft(const Client& client);
  // The share of the last ten seconds' requests that was held back because iGPT failed most of their user's, their
  // group's or all; and how many have been held back so far.
  static double HeldBackShare(const Client& client);
  static int64_t HeldBack(const Client& client);
};

}  // namespace igpt::unstable
