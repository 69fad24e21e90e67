// Asynchronous calls whose callbacks run on the program's own threads.
//
//   IGPT_API_KEY=… thread_pool ada "budget" "holidays" …
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "igpt/client.h"
#include "igpt/executor.h"

namespace {

// Any pool will do: Run() has to hand a function over without waiting for it.
class ThreadPool final : public igpt::Executor {
 public:
  explicit ThreadPool(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this](const std::stop_token& stop) { Work(stop); });
  }

  void Run(absl::AnyInvocable<void()> function) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(function));
    }
    queued_.notify_one();
  }

 private:
  void Work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (queued_.wait(lock, stop, [this] { return !queue_.empty(); })) {
      absl::AnyInvocable<void()> function = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      function();
      lock.lock();
    }
  }

  std::mutex mutex_;  // guards queue_
  std::condition_variable_any queued_;
  std::deque<absl::AnyInvocable<void()>> queue_;
  std::vector<std::jthread> threads_;  // last: they use the members above
};

}  // namespace

int main(int argc, char** argv) {
  const char* key = std::getenv("IGPT_API_KEY");
  if (argc < 3 || key == nullptr) {
    std::cerr << "IGPT_API_KEY=… thread_pool <user> <query>…\n";
    return 2;
  }
  igpt::Options options = {.api_key = key, .user = argv[1], .executor = std::make_shared<ThreadPool>(4)};
  if (const char* url = std::getenv("IGPT_BASE_URL")) options.base_url = url;
  const absl::StatusOr<igpt::Client> client = igpt::Client::Create(options);
  if (!client.ok()) {
    std::cerr << "thread_pool: " << client.status() << "\n";
    return 1;
  }

  std::mutex printing;
  std::latch open(argc - 2);
  for (const std::string& query : std::vector<std::string>(argv + 2, argv + argc)) {
    client->recall().Search({.query = query}, {}, [&, query](absl::StatusOr<igpt::SearchAnswer> found) {
      {
        const std::lock_guard lock(printing);
        std::cout << query << ": ";
        if (found.ok()) {
          std::cout << found->results.size() << " found\n";
        } else {
          std::cout << found.status() << "\n";
        }
      }
      open.count_down();
    });
  }
  open.wait();
  return 0;
}
