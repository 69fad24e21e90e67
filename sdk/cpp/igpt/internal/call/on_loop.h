// From any thread to the loop's, and back.
#pragma once

#include <future>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "igpt/error.h"
#include "igpt/unstable/event_loop.h"

namespace igpt::internal {

// Runs `function` now if this is the loop's own thread, else as soon as the loop comes to it.
template <typename Function>
void RunOn(EventLoop& loop, Function function) {
  if (loop.InLoop()) return function();
  loop.Post(std::move(function));
}

// The blocking form of an asynchronous call: `start` is given the callback that takes the result, which runs on the
// loop's thread.
template <typename Result, typename Start>
absl::StatusOr<Result> Await(EventLoop& loop, Start start) {
  if (loop.InLoop()) return MakeStatus(ErrorKind::kConfiguration, "a blocking call on the event loop's own thread");
  std::promise<absl::StatusOr<Result>> promise;
  std::future<absl::StatusOr<Result>> result = promise.get_future();
  start([promise = std::move(promise)](absl::StatusOr<Result> value) mutable { promise.set_value(std::move(value)); });
  return result.get();
}

}  // namespace igpt::internal
