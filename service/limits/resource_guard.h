// Watches memory and file descriptors, so that new calls are shed before either runs out.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "service/limits/admission.h"
#include "service/system/resources.h"

namespace igptd {

// The strain of a resource whose share in use is `used`, from 0 to 1, and whose strain was `last` before. A strain ends
// well below the level where it begins, so that calls aren't admitted and shed in turns.
Strain NextStrain(Strain last, double used);

// The shares in use, from 0 to 1.
struct ResourceUse {
  double memory = 0;
  double descriptors = 0;
};

// Has a thread of its own, since the kernel can be slow to count. Thread-safe.
class ResourceGuard {
 public:
  // `on_strain` is called on the guard's thread for every change and, while memory is short, also every second, so that
  // freed memory is returned. `root`: as for ControlGroups.
  explicit ResourceGuard(std::function<void(Strains strains)> on_strain, std::string root = "");
  ~ResourceGuard();
  ResourceGuard(const ResourceGuard&) = delete;
  ResourceGuard& operator=(const ResourceGuard&) = delete;

  // As of the last measurement.
  Strains strains() const;
  ResourceUse use() const;

 private:
  void Run();
  void Look();

  const std::function<void(Strains)> on_strain_;
  const std::string root_;
  int looks_ = 0;  // since the last call of on_strain; used by the thread only
  std::atomic<double> memory_use_ = 0;
  std::atomic<double> descriptor_use_ = 0;
  std::atomic<Strain> memory_ = Strain::kNone;
  std::atomic<Strain> descriptors_ = Strain::kNone;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace igptd
