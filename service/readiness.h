// Whether igptd wants new calls.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace igptd {

// Ready unless something blocks it. Trouble with iGPT does not block readiness, because every other replica has the
// same trouble. Thread-safe.
class Readiness {
 public:
  // `changed` is called for every change, one at a time. It must not call this object.
  explicit Readiness(std::function<void(bool ready)> changed) : changed_(std::move(changed)) {}

  // Adds or removes a reason not to be ready, such as "draining".
  void Block(const std::string& why);
  void Unblock(const std::string& why);

  // The reasons why igptd isn't ready; empty: it is ready.
  std::string WhyNot() const;

 private:
  const std::function<void(bool ready)> changed_;
  mutable std::mutex mutex_;
  std::set<std::string> against_;
};

}  // namespace igptd
