// A call that can be given up.
#pragma once

namespace igpt::internal {

class Cancellable {
 public:
  virtual ~Cancellable() = default;
  // Ends it with kAborted, unless it has ended. On the loop's thread.
  virtual void Cancel() = 0;
};

}  // namespace igpt::internal
