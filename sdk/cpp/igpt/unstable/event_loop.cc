#include "igpt/unstable/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "igpt/internal/base/fork.h"
#include "igpt/internal/base/monotonic.h"
#include "igpt/internal/base/thread.h"
#include "igpt/internal/http/curl_multi.h"

namespace igpt::unstable {

using internal::MonotonicNanos;

namespace {

// The loop that runs on this thread.
thread_local const EventLoop* current_loop = nullptr;

// How often a turn goes back to the work source before it looks at the sockets again, so that a burst from one call
// does not keep the others waiting.
constexpr int kMaxPollsPerTurn = 16;

}  // namespace

EventLoop::Timer::~Timer() {
  Unqueue();
}

void EventLoop::Timer::Arm(absl::Duration delay) {
  if (delay == absl::InfiniteDuration()) return Cancel();
  const int64_t now = MonotonicNanos();
  when_ = now + std::clamp<int64_t>(absl::ToInt64Nanoseconds(delay), 0, kNever - 1 - now);
  if (when_ < queued_) Queue(when_);
}

void EventLoop::Timer::Queue(int64_t when) {
  Unqueue();
  queued_ = when;
  loop_.timers_.emplace(when, this);
}

void EventLoop::Timer::Unqueue() {
  if (queued_ != kNever) loop_.timers_.erase({queued_, this});
  queued_ = kNever;
}

EventLoop::Watch::Watch(EventLoop& loop, int fd, uint32_t events, absl::AnyInvocable<void()> ready)
    : loop_(loop), fd_(fd), ready_(std::move(ready)) {
  epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(loop.epoll_fd_, EPOLL_CTL_ADD, fd, &event);
  loop.watches_[fd] = this;
}

EventLoop::Watch::~Watch() {
  epoll_ctl(loop_.epoll_fd_, EPOLL_CTL_DEL, fd_, nullptr);
  loop_.watches_.erase(fd_);
}

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Create(WorkSource* source) {
  const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event wake = {};
  wake.events = EPOLLIN;
  wake.data.fd = wake_fd;
  if (epoll_fd < 0 || wake_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &wake) != 0) {
    const int error = errno;
    if (epoll_fd >= 0) close(epoll_fd);
    if (wake_fd >= 0) close(wake_fd);
    return absl::ResourceExhaustedError(absl::ErrnoToStatus(error, "cannot start an event loop").message());
  }
  internal::CountForks();
  auto loop = absl::WrapUnique(new EventLoop(source, epoll_fd, wake_fd));
  absl::StatusOr<std::thread> thread = internal::StartThread("igpt-loop", [loop = loop.get()] {
    loop->Run();
    // Of a loop that ends by itself, this is the last reference.
    const std::unique_ptr<EventLoop> self = std::move(loop->self_);
  });
  if (!thread.ok()) return thread.status();
  loop->thread_ = *std::move(thread);
  return loop;
}

EventLoop::EventLoop(WorkSource* source, int epoll_fd, int wake_fd)
    : source_(source),
      epoll_fd_(epoll_fd),
      wake_fd_(wake_fd),
      curl_(std::make_unique<internal::CurlMulti>(epoll_fd)),
      fork_generation_(internal::ForkGeneration()) {}

EventLoop::~EventLoop() {
  if (LeftBehind()) {
    internal::KeepForever(std::make_shared<std::thread>(std::move(thread_)));
    internal::KeepForever(std::move(curl_));  // would end the parent's TLS connections
  } else if (thread_.joinable()) {
    Post([this] { stopping_ = true; });
    thread_.join();
  }
  curl_.reset();
  close(wake_fd_);
  close(epoll_fd_);
}

void EventLoop::EndWithTurn(std::unique_ptr<EventLoop> loop) {
  EventLoop& ending = *loop;
  ending.stopping_ = true;
  ending.thread_.detach();
  ending.self_ = std::move(loop);
}

bool EventLoop::LeftBehind() const {
  return fork_generation_ != internal::ForkGeneration();
}

bool EventLoop::InLoop() const {
  return current_loop == this;
}

void EventLoop::Post(absl::AnyInvocable<void()> function) {
  bool wake;
  {
    const std::lock_guard lock(mutex_);
    wake = posted_.empty();
    posted_.push_back(std::move(function));
  }
  if (!wake) return;
  const uint64_t one = 1;
  // An eventfd takes the write unless its counter is full, and then the loop is awake anyway.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

void EventLoop::Run() {
  current_loop = this;
  std::array<epoll_event, 64> events;
  while (!stopping_) {
    const int ready = epoll_wait(epoll_fd_, events.data(), events.size(), EpollTimeoutMs());
    if (source_ != nullptr) source_->BeginTurn(ready);
    for (int i = 0; i < ready; ++i) OnReady(events[i].data.fd, events[i].events);
    RunPosted();
    RunTimers();
    curl_->RunDueTimer();
    curl_->ReportCompleted();
    RunDeferred();
    for (int i = 0; source_ != nullptr && i < kMaxPollsPerTurn && source_->Poll(); ++i) RunDeferred();
    if (source_ != nullptr) source_->EndTurn();
  }
  current_loop = nullptr;
}

void EventLoop::OnReady(int fd, uint32_t events) {
  if (fd == wake_fd_) {
    uint64_t count;
    [[maybe_unused]] const ssize_t taken = read(wake_fd_, &count, sizeof(count));
  } else if (const auto watch = watches_.find(fd); watch != watches_.end()) {
    watch->second->ready_();
  } else {
    curl_->OnSocketReady(fd, events);
  }
}

int EventLoop::EpollTimeoutMs() {
  if (!deferred_.empty()) return 0;
  absl::Duration wait = curl_->UntilTimer();
  if (!timers_.empty()) wait = std::min(wait, absl::Nanoseconds(timers_.begin()->first - MonotonicNanos()));
  if (source_ != nullptr) wait = std::min(wait, source_->MaxSleep());
  if (wait == absl::InfiniteDuration()) return -1;
  if (wait <= absl::ZeroDuration()) return 0;
  // Rounded up: waking too early would only spin until the time has come.
  return static_cast<int>(std::min<int64_t>(absl::ToInt64Milliseconds(wait - absl::Nanoseconds(1)) + 1, 60'000));
}

void EventLoop::RunPosted() {
  std::vector<absl::AnyInvocable<void()>> posted;
  {
    const std::lock_guard lock(mutex_);
    posted.swap(posted_);
  }
  for (auto& function : posted) function();
}

void EventLoop::RunTimers() {
  if (timers_.empty()) return;
  const int64_t now = MonotonicNanos();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Timer* timer = timers_.begin()->second;
    timer->Unqueue();
    if (timer->when_ > now) {
      if (timer->armed()) timer->Queue(timer->when_);
      continue;
    }
    timer->Cancel();
    timer->fire_();
  }
}

void EventLoop::RunDeferred() {
  // Functions that these defer also belong to this turn.
  while (!deferred_.empty()) {
    std::vector<absl::AnyInvocable<void()>> deferred;
    deferred.swap(deferred_);
    for (auto& function : deferred) function();
  }
}

}  // namespace igpt::unstable
