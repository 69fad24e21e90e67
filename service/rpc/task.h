// Calls that read from top to bottom: a coroutine per call, on its loop's thread.
#pragma once

#include <coroutine>
#include <exception>

namespace igptd::rpc {

// A coroutine that nobody waits for: it runs until its first co_await when it is called, and its frame goes when it
// returns. Whatever it refers to must outlive it.
struct Task {
  struct promise_type {
    Task get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }  // there are no exceptions across our own boundaries
  };
};

// co_await Wait{ready, start, result}: goes on at once if ready() says so; else start(coroutine) begins what is waited
// for and sees to it that the coroutine is resumed, once, on the same thread and not before start has returned. The
// wait gives result().
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
