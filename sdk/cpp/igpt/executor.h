// Where a client runs the callbacks of its user.
#pragma once

#include <functional>

#include "absl/functional/any_invocable.h"

namespace igpt::inline sdk_v1 {

// Thread-safe. The default (see Options::executor) is a pool of threads that all clients share: it starts one when all
// are busy, up to 64, so that a callback may block.
class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `function` soon, or destroys it. Called on the client's event loop, so it must not wait for anything.
  // Callbacks that still wait when their client is closed run on the thread that closes it, which may be one of the
  // executor's.
  virtual void Run(absl::AnyInvocable<void()> function) = 0;
};

}  // namespace igpt::inline sdk_v1
