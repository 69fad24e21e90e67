#include "tests/support/memory.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace igpt::testing {
namespace {

std::string PathOf(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// A line "<name>:  1234 kB" of the process's status.
size_t StatusBytes(pid_t pid, const std::string& name) {
  std::ifstream status(PathOf(pid, "status"));
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::stoul(line.substr(name.size() + 1)) * 1024;
  }
  return 0;
}

}  // namespace

size_t ResidentMemory(pid_t pid) {
  return StatusBytes(pid, "VmRSS");
}

size_t PeakMemory(pid_t pid) {
  return StatusBytes(pid, "VmHWM");
}

void ForgetPeakMemory(pid_t pid) {
  std::ofstream(PathOf(pid, "clear_refs")) << "5";
}

size_t OpenDescriptors(pid_t pid) {
  std::error_code error;
  size_t count = 0;
  for (std::filesystem::directory_iterator each(PathOf(pid, "fd"), error), end; !error && each != end;
       each.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace igpt::testing
