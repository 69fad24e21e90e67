#include "service/readiness.h"

#include "absl/strings/str_join.h"

namespace igptd {

void Readiness::Block(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (against_.insert(why).second && against_.size() == 1) changed_(false);
}

void Readiness::Unblock(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (against_.erase(why) > 0 && against_.empty()) changed_(true);
}

std::string Readiness::WhyNot() const {
  const std::lock_guard lock(mutex_);
  return absl::StrJoin(against_, ", ");
}

}  // namespace igptd
