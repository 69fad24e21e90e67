// UNSTABLE: may change in every version. The thread on which calls live.
//
// A loop owns one thread, an epoll set, libcurl's multi handle and timers. Every call of a Client lives on its loop
// from the request to the last event, so the path of a call has no lock and no thread hop. Most programs never see one:
// Client makes its own. A program with an event queue of its own (such as a gRPC server) shares the thread by giving
// the loop a WorkSource, and gives the loop to its Clients: see on_loop.h.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace igpt {

namespace internal {
class CurlMulti;
}  // namespace internal

namespace unstable {

class EventLoop {
 public:
  // A second source of work on the loop's thread, for queues that have no file descriptor to wait on.
  class WorkSource {
   public:
    virtual ~WorkSource() = default;
    // Does some of what is ready, without blocking. Returns whether there was anything. Called on the loop's thread in
    // every turn.
    virtual bool Poll() = 0;
    // How long the loop may sleep before it calls Poll again when nothing else wakes it. Infinite when nothing is under
    // way that Poll could find.
    virtual absl::Duration MaxSleep() const = 0;
    // A turn begins, with `ready` sockets ready (all posted functions count as one); and the turn is over, so that the
    // loop waits for its sockets next.
    virtual void BeginTurn(int /*ready*/) {}
    virtual void EndTurn() {}
  };

  // Runs a function once, after a delay. Belongs to its loop's thread, like the function, which may arm the timer again
  // but not destroy it.
  class Timer {
   public:
    Timer(EventLoop& loop, absl::AnyInvocable<void()> fire) : loop_(loop), fire_(std::move(fire)) {}
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // Fires once after `delay`, which replaces an earlier one. An infinite delay never fires. Moving the time to a
    // later one is cheap, as that is the common case: few timers ever fire.
    void Arm(absl::Duration delay);
    void Cancel() { when_ = kNever; }
    bool armed() const { return when_ != kNever; }

   private:
    friend class EventLoop;
    static constexpr int64_t kNever = INT64_MAX;
    void Queue(int64_t when);
    void Unqueue();
    EventLoop& loop_;
    absl::AnyInvocable<void()> fire_;
    // In nanoseconds of the monotonic clock: when the timer is to fire, and when the loop looks at it, which is never
    // later. If that turns out to be too early, the loop queues it again.
    int64_t when_ = kNever;
    int64_t queued_ = kNever;
  };

  // Runs a function in every turn in which a descriptor is ready. Belongs to its loop's thread, like the function,
  // which may not destroy it.
  class Watch {
   public:
    // `events` as epoll_ctl(2) has them: EPOLLIN, EPOLLET, … The descriptor stays its owner's, and open as long as
    // this.
    Watch(EventLoop& loop, int fd, uint32_t events, absl::AnyInvocable<void()> ready);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    friend class EventLoop;
    EventLoop& loop_;
    const int fd_;
    absl::AnyInvocable<void()> ready_;
  };

  // Starts the thread, which takes no signals. `source`, if any, must outlive the loop. RESOURCE_EXHAUSTED when the
  // process has no file descriptors left, or no thread.
  static absl::StatusOr<std::unique_ptr<EventLoop>> Create(WorkSource* source = nullptr);

  // Stops the thread after its current turn and joins it. Functions that were posted and have not run are destroyed.
  // Everything that lives on the loop (Clients above all) must be gone. Not to be called on the loop's thread: see
  // EndWithTurn. In a child of fork() it stops nothing.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Stops the thread at the end of its current turn and destroys the loop then. On the loop's thread only.
  static void EndWithTurn(std::unique_ptr<EventLoop> loop);

  // Whether this is a child of fork(), and the thread its parent's: nothing runs on the loop any more.
  bool LeftBehind() const;

  // Runs `function` on the loop's thread, soon, in the order of the posts. From any thread.
  void Post(absl::AnyInvocable<void()> function);

  // Whether the caller runs on the loop's thread.
  bool InLoop() const;

  // Runs `function` at the end of the turn, when no callback of libcurl, a timer or the work source is on the stack. On
  // the loop's thread only.
  void Defer(absl::AnyInvocable<void()> function) { deferred_.push_back(std::move(function)); }

  // libcurl, for the transfers of this library. On the loop's thread only.
  internal::CurlMulti& curl() { return *curl_; }

 private:
  EventLoop(WorkSource* source, int epoll_fd, int wake_fd);
  void Run();
  int EpollTimeoutMs();
  void OnReady(int fd, uint32_t events);
  void RunPosted();
  void RunTimers();
  void RunDeferred();

  WorkSource* const source_;
  const int epoll_fd_;
  const int wake_fd_;  // an eventfd: readable when something was posted
  std::unique_ptr<internal::CurlMulti> curl_;
  std::set<std::pair<int64_t, Timer*>> timers_;
  std::unordered_map<int, Watch*> watches_;  // by descriptor
  std::vector<absl::AnyInvocable<void()>> deferred_;
  bool stopping_ = false;            // on the loop's thread only
  std::unique_ptr<EventLoop> self_;  // set by EndWithTurn
  const int fork_generation_;

  std::mutex mutex_;  // guards posted_; the standard's, which thread sanitizers see without help
  std::vector<absl::AnyInvocable<void()>> posted_;

  std::thread thread_;  // last: it runs on the members above
};

}  // namespace unstable

namespace internal {
using unstable::EventLoop;
}  // namespace internal

}  // namespace igpt
