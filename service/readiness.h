// Whether igptd should be sent new calls.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace igptd {

// Ready as long as nothing is against it. Trouble with iGPT is nothing against it: another replica has the same.
// Thread-safe.
class Readiness {
 public:
  // `changed` is told of every change, one after the other. It must not call this.
  explicit Readiness(std::function<void(bool ready)> changed) : changed_(std::move(changed)) {}

  // Something is against it, and no longer is: "draining", "over the memory limit".
  void Block(const std::string& why);
  void Unblock(const std::string& why);

  // What is against it; empty: igptd is ready.
  std::string WhyNot() const;

 private:
  const std::function<void(bool ready)> changed_;
  mutable std::mutex mutex_;
  std::set<std::string> against_;
};

}  // namespace igptd
