// A streamed answer.
//
// The contract:
// - Events come in iGPT's order, each once, as soon as they arrive. At most one Read may be pending at a time: another
//   one gives FAILED_PRECONDITION.
// - The stream ends properly (Read gives nullopt) only when the answer is whole: iGPT's terminal event came, or iGPT
//   ended a framed body with no run left open. Whatever else ends it is an error: see error.h. Events that were whole
//   before the error are read first, and Error::events_delivered counts them.
// - A reader that doesn't read holds the stream back: some 256 KiB are buffered, then the connection is no longer read.
// - Cancel() acts at once, in every phase; the pending Read, or the next, gives kAborted. So does destruction.
#pragma once

#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "igpt/client_ref.h"
#include "igpt/types.h"

namespace igpt {

namespace internal {
class StreamedAnswer;
}  // namespace internal

// What a Read gives: an event; nullopt, the proper end; or the error that ended the stream. After the end, reading
// again gives the same.
using EventResult = absl::StatusOr<std::optional<RunEvent>>;

// Keeps its client open, so it may outlive the Client. Any thread may use it, one at a time, but for Cancel(), which
// may be called while another thread reads. It may be destroyed in its own callback.
class EventStream {
 public:
  // Made by Recall.
  EventStream(internal::ClientRef client, std::shared_ptr<internal::StreamedAnswer> call);
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // Waits for the next event. Not on the loop's thread.
  EventResult Read();

  // The same without waiting: `done` runs as every callback does (see client.h).
  void Read(absl::AnyInvocable<void(EventResult)> done);

  // Aborts the request.
  void Cancel();

  // For code that lives on the loop's thread, and only there:

  // The next result, if it is here already; else nullopt.
  std::optional<EventResult> TryRead();

  // Whether TryRead() would give something.
  bool Readable() const;

  // Runs `wake` once, later, when the stream is readable or `timeout` has passed. Replaces an earlier wait; counts as
  // the one pending Read.
  void WaitReadable(absl::Duration timeout, absl::AnyInvocable<void()> wake);

 private:
  internal::ClientRef client_;
  std::shared_ptr<internal::StreamedAnswer> call_;
};

}  // namespace igpt
