// A program with an epoll loop of its own: the callbacks run there, so that nothing needs a lock.
//
//   IGPT_API_KEY=… epoll_loop ada "What did we decide about the budget?"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "igpt/client.h"
#include "igpt/executor.h"

namespace {

// The bridge: functions that other threads hand over, and an eventfd that is readable while there are any.
class EventFdExecutor final : public igpt::Executor {
 public:
  EventFdExecutor() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~EventFdExecutor() override { close(fd_); }
  EventFdExecutor(const EventFdExecutor&) = delete;
  EventFdExecutor& operator=(const EventFdExecutor&) = delete;

  int fd() const { return fd_; }

  void Run(absl::AnyInvocable<void()> function) override {
    const std::lock_guard lock(mutex_);
    functions_.push_back(std::move(function));
    eventfd_write(fd_, 1);
  }

  // On the loop's thread, when fd() is readable.
  void RunAll() {
    std::vector<absl::AnyInvocable<void()>> functions;
    {
      const std::lock_guard lock(mutex_);
      functions.swap(functions_);
      eventfd_t count = 0;
      eventfd_read(fd_, &count);
    }
    for (auto& function : functions) function();
  }

 private:
  const int fd_;
  std::mutex mutex_;  // guards functions_
  std::vector<absl::AnyInvocable<void()>> functions_;
};

// Prints an answer while it is written: each event asks for the next one.
class Printer {
 public:
  explicit Printer(igpt::EventStream stream) : stream_(std::move(stream)) { Read(); }

  bool ended() const { return ended_; }
  bool failed() const { return failed_; }

 private:
  void Read() {
    stream_.Read([this](igpt::EventResult event) { Take(std::move(event)); });
  }

  void Take(igpt::EventResult event) {
    if (!event.ok() || !event->has_value()) {
      ended_ = true;
      failed_ = !event.ok();
      std::cout << "\n";
      if (failed_) std::cerr << "epoll_loop: " << event.status() << "\n";
      return;
    }
    if (const auto* delta = (*event)->payload.As<igpt::Delta>()) std::cout << delta->text << std::flush;
    Read();
  }

  igpt::EventStream stream_;
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  const char* key = std::getenv("IGPT_API_KEY");
  if (argc != 3 || key == nullptr) {
    std::cerr << "IGPT_API_KEY=… epoll_loop <user> <question>\n";
    return 2;
  }
  const auto executor = std::make_shared<EventFdExecutor>();
  igpt::Options options = {.api_key = key, .user = argv[1], .executor = executor};
  if (const char* url = std::getenv("IGPT_BASE_URL")) options.base_url = url;
  const absl::StatusOr<igpt::Client> client = igpt::Client::Create(options);
  if (!client.ok()) {
    std::cerr << "epoll_loop: " << client.status() << "\n";
    return 1;
  }

  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event watched = {.events = EPOLLIN, .data = {.fd = executor->fd()}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, executor->fd(), &watched);

  const Printer printer(client->recall().AskStream({.input = argv[2]}));
  while (!printer.ended()) {
    epoll_event ready = {};
    if (epoll_wait(epoll, &ready, 1, /*timeout=*/-1) == 1 && ready.data.fd == executor->fd()) executor->RunAll();
  }
  close(epoll);
  return printer.failed() ? 1 : 0;
}
