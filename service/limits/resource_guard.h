// Watches memory and file descriptors, so that new calls are shed before either runs out.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "service/limits/admission.h"
#include "service/system/resources.h"

namespace igptd {

// The strain of something of which so much is used, from 0 to 1, when it was `last` before: it eases only a good deal
// below where it began, so that calls aren't let in and shed in turn.
Strain NextStrain(Strain last, double used);

// How much of what there is is used, from 0 to 1.
struct ResourceUse {
  double memory = 0;
  double descriptors = 0;
};

// Has a thread of its own, since the kernel may take its time to count. Thread-safe.
class ResourceGuard {
 public:
  // `on_strain` is told of every change, and while memory is strained again every second, so that what can be given
  // back is. On the guard's thread.
  explicit ResourceGuard(std::function<void(Strains strains)> on_strain, ResourcePaths paths = {});
  ~ResourceGuard();
  ResourceGuard(const ResourceGuard&) = delete;
  ResourceGuard& operator=(const ResourceGuard&) = delete;

  // As they were at the last look.
  Strains strains() const;
  ResourceUse use() const;

 private:
  void Run();
  void Look();

  const std::function<void(Strains)> on_strain_;
  const ResourcePaths paths_;
  int looks_ = 0;  // the thread's own: since on_strain was told last
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
