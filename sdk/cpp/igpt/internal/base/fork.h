// What becomes of this library in a child of fork(): its threads are gone, its locks may be held for ever, and its
// sockets are the parent's. So what was made before the fork is not used any more, and never destroyed.
#pragma once

#include <memory>

namespace igpt::internal {

// Another number in a child of fork() than in its parent, once CountForks was called.
int ForkGeneration();

// To be called before the first thread is started. Thread-safe.
void CountForks();

// Keeps what a child of fork() must not destroy.
void KeepForever(std::shared_ptr<void> kept);

}  // namespace igpt::internal
