// Coroutines, so that a handler reads from top to bottom: one per call, on its loop's thread.
#pragma once

#include <coroutine>
#include <exception>

namespace igptd::rpc {

// A coroutine that nobody waits for. Calling it runs it until its first co_await; its frame is freed when it returns.
// Whatever it refers to must outlive it.
struct Task {
  struct promise_type {
    Task get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }  // no exceptions cross our own boundaries
  };
};

// co_await Wait{ready, start, result}: continues at once if ready() returns true. Otherwise start(coroutine) starts the
// operation, and must make sure that the coroutine is resumed exactly once, on the same thread, after start has
// returned. The value of the co_await is result().
template <typename Ready, typename Start, typename Result>
struct Wait {
  Ready ready;
  Start start;
  Result result;

  bool await_ready() const { return ready(); }
  void await_suspend(std::coroutine_handle<> coroutine) { start(coroutine); }
  auto await_resume() const { return result(); }
};
template <typename Ready, typename Start, typename Result>
Wait(Ready, Start, Result) -> Wait<Ready, Start, Result>;

}  // namespace igptd::rpc
