// Which signals the threads of this process take.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
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

// There are other threads, and they leave signals to the calling one, whose mask is what it was.
inline void ExpectOtherThreadsTakeNoSignals() {
  const std::vector<uint64_t> threads = SignalsBlockedByOtherThreads();
  EXPECT_THAT(threads, ::testing::Not(::testing::IsEmpty()));
  for (const uint64_t blocked : threads) {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE, SIGALRM}) {
      EXPECT_NE(blocked & uint64_t{1} << (signal - 1), 0U) << "a thread takes signal " << signal;
    }
  }
  sigset_t mine;
  pthread_sigmask(SIG_BLOCK, nullptr, &mine);
  EXPECT_EQ(sigismember(&mine, SIGTERM), 0) << "the mask of the program's own thread changed";
}

}  // namespace igpt::testing
