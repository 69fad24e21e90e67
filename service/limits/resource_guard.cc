#include "service/limits/resource_guard.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/observe/log.h"

namespace igptd {
namespace {

// Shares of the limit. The rest must suffice for running calls and for calls that start between two measurements.
constexpr double kTight = 0.75;
constexpr double kFull = 0.85;
constexpr double kEase = 0.05;

// Between two measurements. They take at most a fiftieth of a core, even where file descriptors are counted one by one.
constexpr std::chrono::milliseconds kInterval{100};
constexpr int kMaxShare = 50;
constexpr int kLooksPerSecond = 10;

const char* NameOf(Strain strain) {
  switch (strain) {
    case Strain::kNone:
      return "none";
    case Strain::kTight:
      return "tight";
    case Strain::kFull:
      return "full";
  }
  return "";
}

// Stores the new strain. Logs and returns whether it has changed.
bool Update(std::atomic<Strain>& strain, double used, const char* what) {
  const Strain last = strain.load(std::memory_order_relaxed);
  const Strain next = NextStrain(last, used);
  if (next == last) return false;
  strain.store(next, std::memory_order_relaxed);
  LogLine(next > last ? LogLevel::kWarn : LogLevel::kInfo, "strain")
      .With("on", what)
      .With("strain", NameOf(next))
      .With("used_percent", static_cast<int>(100 * used));
  return true;
}

}  // namespace

Strain NextStrain(Strain last, double used) {
  const double full = last == Strain::kFull ? kFull - kEase : kFull;
  const double tight = last != Strain::kNone ? kTight - kEase : kTight;
  if (used >= full) return Strain::kFull;
  return used >= tight ? Strain::kTight : Strain::kNone;
}

ResourceGuard::ResourceGuard(std::function<void(Strains)> on_strain, std::string root)
    : on_strain_(std::move(on_strain)), root_(std::move(root)), thread_([this] { Run(); }) {}

ResourceGuard::~ResourceGuard() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

Strains ResourceGuard::strains() const {
  return {.memory = memory_.load(std::memory_order_relaxed),
          .descriptors = descriptors_.load(std::memory_order_relaxed)};
}

ResourceUse ResourceGuard::use() const {
  return {.memory = memory_use_.load(std::memory_order_relaxed),
          .descriptors = descriptor_use_.load(std::memory_order_relaxed)};
}

void ResourceGuard::Run() {
  using std::chrono::steady_clock;
  pthread_setname_np(pthread_self(), "resources");
  for (;;) {
    const steady_clock::time_point start = steady_clock::now();
    Look();
    const auto pause = std::max<steady_clock::duration>(kInterval, kMaxShare * (steady_clock::now() - start));
    std::unique_lock lock(mutex_);
    if (stop_.wait_for(lock, pause, [this] { return stopping_; })) return;
  }
}

// If memory can't be read at this moment, its use and strain stay as they were.
void ResourceGuard::Look() {
  if (const std::optional<double> used = MemoryUse(root_)) memory_use_ = *used;
  descriptor_use_ = DescriptorUse();
  const bool memory_changed = Update(memory_, memory_use_, "memory");
  const bool changed = Update(descriptors_, descriptor_use_, "file_descriptors") || memory_changed;
  const Strains now = strains();
  if (!changed && (now.memory == Strain::kNone || ++looks_ < kLooksPerSecond)) return;
  looks_ = 0;
  on_strain_(now);
}

}  // namespace igptd
