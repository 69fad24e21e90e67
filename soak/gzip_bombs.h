// A caller with a token that attacks: now and then it sends a small request that unpacks to a gigabyte.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "soak/history.h"

namespace igpt::soak {

// igptd may refuse a bomb in any way, but not answer it. Whether it unpacked one shows in its memory: see Replacement.
class GzipBombs {
 public:
  // `target`: the address to call. Begins at once.
  GzipBombs(std::string target, Recorder& recorder);
  // Waits for the last one's end.
  ~GzipBombs();

  int sent() const { return sent_; }

 private:
  void Send();

  const std::string target_;
  Recorder& recorder_;
  std::atomic<int> sent_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;  // guarded by mutex_
  std::thread sender_;
};

}  // namespace igpt::soak
