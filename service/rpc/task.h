// Calls that read from top to bottom: a coroutine per call, on its loop's thread.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

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

// co_await Callback<T>(start): calls start(done), and goes on with the T that `done` is given. `done` must be called
// exactly once, on the same thread, and not before `start` has returned.
template <typename T, typename Start>
class CallbackAwaiter {
 public:
  explicit CallbackAwaiter(Start start) : start_(std::move(start)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    start_([this, waiting](T result) {
      result_.emplace(std::move(result));
      waiting.resume();
    });
  }
  T await_resume() { return *std::move(result_); }

 private:
  Start start_;
  std::optional<T> result_;
};

template <typename T, typename Start>
CallbackAwaiter<T, Start> Callback(Start start) {
  return CallbackAwaiter<T, Start>(std::move(start));
}

}  // namespace igptd::rpc
