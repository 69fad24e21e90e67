// A streamed answer.
//
//   igpt::EventStream stream = client.recall().AskStream({.input = "…"});
//   absl::Status status = stream.ForEachText([](std::string_view text) { std::cout << text << std::flush; });
//
// or, to see every event:
//
//   igpt::RunEvent event;
//   while (stream.Next(&event)) { … }
//   if (!stream.status().ok()) …
//
// or, with the error where it can't be overlooked:
//
//   for (absl::StatusOr<igpt::RunEvent>& event : stream) {
//     if (!event.ok()) return event.status();
//     …
//   }
//
// The contract:
// - Events come in iGPT's order, each once, as soon as they arrive. At most one read may be pending at a time: another
//   one gives FAILED_PRECONDITION.
// - The stream ends properly (Read gives nullopt) only when the answer is whole: iGPT's terminal event came, or iGPT
//   ended a framed body with no run left open. Whatever else ends it is an error: see error.h. Events that were whole
//   before the error are read first, and Error::events_delivered counts them.
// - A reader that doesn't read holds the stream back: some 256 KiB are buffered, then the connection is no longer read.
// - Cancel() acts at once, in every phase; the pending read, or the next, gives kAborted. So does destruction.
#pragma once

#include <coroutine>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "igpt/client_ref.h"
#include "igpt/monotonic_time.h"
#include "igpt/types.h"

namespace igpt::internal {
struct Starter;
class StreamCall;
}  // namespace igpt::internal

namespace igpt::unstable {
struct OnLoop;
}  // namespace igpt::unstable

namespace igpt::inline sdk_v1 {

// What a Read gives: an event; nullopt, the proper end; or the error that ended the stream. After the end, reading
// again gives the same.
using EventResult = absl::StatusOr<std::optional<RunEvent>>;

// Keeps its client open, so it may outlive the Client. Any thread may use it, one at a time, but for Cancel(), which
// may be called while another thread reads. It may be destroyed in its own callback. One that was moved from, or that
// was made without a call, gives FAILED_PRECONDITION.
class EventStream {
 public:
  EventStream() = default;
  ~EventStream();
  EventStream(EventStream&& other) noexcept;
  EventStream& operator=(EventStream&& other) noexcept;

  // Waits for the next event. Returns false at the end: then status() says whether it was the proper one.
  [[nodiscard]] bool Next(RunEvent* event);

  // OK, as long as the stream runs and after its proper end; else the error that ended it. Of what the blocking reads
  // found; not while one is pending.
  absl::Status status() const { return status_; }

  // Waits for the next event, or the end.
  EventResult Read();

  // The same, until `end` at the latest; nullopt: nothing came, and the stream goes on.
  std::optional<EventResult> ReadUntil(MonotonicTime end);

  // The same without waiting: `done` runs as every callback does (see client.h).
  void Read(absl::AnyInvocable<void(EventResult)> done);

  // co_await stream.AsyncRead(): the same for coroutines, which are resumed where callbacks run. The stream must not
  // move meanwhile.
  class ReadAwaiter;
  ReadAwaiter AsyncRead();

  // Calls `take` with each piece of the answer's text until the end, and says how that was: status().
  absl::Status ForEachText(absl::FunctionRef<void(std::string_view)> take);

  // Reads to the end and gives the whole answer, with what was read before.
  absl::StatusOr<Answer> Finish();

  // Aborts the request.
  void Cancel();

  // What is known of the call: its request id from the start, the rest as it comes. Waits for the client's thread, not
  // for iGPT.
  CallInfo Info() const;

  // The rest of the stream as a range: events, and last, if the end is not the proper one, its error. An input range:
  // it can be gone through once.
  class Iterator;
  Iterator begin();
  std::default_sentinel_t end() { return {}; }

 private:
  friend struct internal::Starter;
  friend struct unstable::OnLoop;
  EventStream(internal::ClientRef client, std::shared_ptr<internal::StreamCall> call);
  absl::Status Usable() const;
  void Release();

  std::optional<internal::ClientRef> client_;
  std::shared_ptr<internal::StreamCall> call_;
  absl::Status status_;  // what the blocking reads found
  Answer answer_;        // so far, for Finish()
};

class EventStream::Iterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = absl::StatusOr<RunEvent>;
  using difference_type = std::ptrdiff_t;

  explicit Iterator(EventStream& stream) : stream_(&stream) { ++*this; }
  absl::StatusOr<RunEvent>& operator*() const { return current_; }
  Iterator& operator++();
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t /*end*/) const { return ended_; }

 private:
  EventStream* stream_;
  mutable absl::StatusOr<RunEvent> current_ = RunEvent();
  bool ended_ = false;
};

inline EventStream::Iterator EventStream::begin() {
  return Iterator(*this);
}

class EventStream::ReadAwaiter {
 public:
  explicit ReadAwaiter(EventStream& stream) : stream_(stream) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> reader) {
    stream_.Read([this, reader](EventResult result) {
      result_ = std::move(result);
      reader.resume();
    });
  }
  EventResult await_resume() { return std::move(result_); }

 private:
  EventStream& stream_;
  EventResult result_;
};

inline EventStream::ReadAwaiter EventStream::AsyncRead() {
  return ReadAwaiter(*this);
}

}  // namespace igpt::inline sdk_v1
