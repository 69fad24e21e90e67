#include "tests/support/stepped_clock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "igpt/testing/internal/unique_fd.h"

namespace igpt::testing {

SteppedClock::SteppedClock() {
  const UniqueFd file(::open(directory_.File("offset").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  void* mapped = MAP_FAILED;
  if (::ftruncate(file.get(), sizeof(int64_t)) == 0) {
    mapped = ::mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  }
  if (mapped == MAP_FAILED) {
    std::perror("stepped clock");
    std::abort();
  }
  offset_ = new (mapped) std::atomic<int64_t>(0);
}

SteppedClock::~SteppedClock() {
  ::munmap(offset_, sizeof(int64_t));
}

std::vector<std::string> SteppedClock::Environment() const {
  // Sanitizers check that they are the first library, but they don't have to be.
  return {"LD_PRELOAD=" STEPPED_CLOCK_LIBRARY, "STEPPED_CLOCK=" + directory_.File("offset"),
          "ASAN_OPTIONS=verify_asan_link_order=0"};
}

void SteppedClock::Step(absl::Duration by) {
  *offset_ += absl::ToInt64Nanoseconds(by);
}

}  // namespace igpt::testing
