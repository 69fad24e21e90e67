// Preloaded into igptd: its wall clock is off by as many nanoseconds as the file named by STEPPED_CLOCK holds (see
// stepped_clock.h). What waits until a time of that clock waits as if the machine's clock had been set.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

constexpr int64_t kSecond = 1'000'000'000;
// How late a wait may notice that the clock was set.
constexpr int64_t kSlice = 20'000'000;

std::atomic<std::atomic<int64_t>*> offset = nullptr;

__attribute__((constructor)) void MapOffset() {
  const char* path = std::getenv("STEPPED_CLOCK");
  const int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  void* mapped = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) offset = static_cast<std::atomic<int64_t>*>(mapped);
}

int64_t Offset() {
  const std::atomic<int64_t>* mapped = offset;
  return mapped == nullptr ? 0 : mapped->load();
}

// The function that this library hides. Not in static locals: initializing those can call syscall().
template <typename Function>
Function Hidden(std::atomic<Function>& found, const char* name) {
  if (found == nullptr) found = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
  return found;
}
std::atomic<int (*)(clockid_t, timespec*)> hidden_clock_gettime;
std::atomic<long (*)(long, ...)> hidden_syscall;  // NOLINT(google-runtime-int): as it is declared

int64_t ToNanos(const timespec& time) {
  return time.tv_sec * kSecond + time.tv_nsec;
}
timespec ToTimespec(int64_t nanos) {
  return {.tv_sec = nanos / kSecond, .tv_nsec = nanos % kSecond};
}

int64_t Wall() {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return ToNanos(now);
}

}  // namespace

extern "C" {

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name,google-runtime-int): as the C library declares them
int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int result = Hidden(hidden_clock_gettime, "clock_gettime")(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    *time = ToTimespec(ToNanos(*time) + Offset());
  }
  return result;
}

int gettimeofday(timeval* time, void* /*zone*/) noexcept {
  const int64_t now = Wall();
  *time = {.tv_sec = now / kSecond, .tv_usec = now % kSecond / 1'000};
  return 0;
}

time_t time(time_t* result) noexcept {
  const time_t now = Wall() / kSecond;
  if (result != nullptr) *result = now;
  return now;
}

// Abseil, and so gRPC, waits on futexes, until a time of the wall clock.
long syscall(long number, ...) noexcept {
  long arguments[6];
  va_list list;
  va_start(list, number);
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  const auto call = [&](long timeout) {
    return Hidden(hidden_syscall, "syscall")(number, arguments[0], arguments[1], arguments[2], timeout, arguments[4],
                                             arguments[5]);
  };
  const auto* until = reinterpret_cast<const timespec*>(arguments[3]);
  if (number != SYS_futex || (arguments[1] & FUTEX_CLOCK_REALTIME) == 0 || until == nullptr) return call(arguments[3]);
  for (;;) {
    const int64_t now = Wall();
    const timespec slice = ToTimespec(std::clamp(ToNanos(*until), now, now + kSlice) - Offset());
    const long result = call(reinterpret_cast<long>(&slice));
    if (result == 0 || errno != ETIMEDOUT || Wall() >= ToNanos(*until)) return result;
  }
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name,google-runtime-int)

}  // extern "C"
