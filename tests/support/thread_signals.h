// Which signals the threads of this process take.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace igpt::testing {

// Of each thread but the calling one: the signals that it blocks, signal n as bit n - 1.
inline std::vector<uint64_t> SignalsBlockedByOtherThreads() {
  std::vector<uint64_t> blocked;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == std::to_string(gettid())) continue;
    std::ifstream status(task.path() / "status");
    for (std::string key, value; status >> key && std::getline(status, value);) {
      if (key == "SigBlk:") blocked.push_back(std::strtoull(value.c_str(), nullptr, 16));
    }
  }
  return blocked;
}

}  // namespace igpt::testing
