// Preloaded into igptd: while the directory that DEAD_MOUNT names holds a file "dead", opening any other file in it
// does not return, as on a network file system whose server is gone.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void AwaitAlive(std::string_view path) {
  const char* mount = std::getenv("DEAD_MOUNT");
  if (mount == nullptr || !path.starts_with(mount)) return;
  while (access((std::string(mount) + "/dead").c_str(), F_OK) == 0) usleep(5000);
}

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): theirs are reserved
extern "C" {

int open(const char* path, int flags, ...) {
  static const auto kReal = reinterpret_cast<decltype(&open)>(dlsym(RTLD_NEXT, "open"));
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  AwaitAlive(path);
  return kReal(path, flags, mode);
}

// What open() is in builds that are fortified.
int __open_2(const char* path, int flags) {  // NOLINT(bugprone-reserved-identifier)
  return open(path, flags);
}
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
