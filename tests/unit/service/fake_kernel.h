// The kernel's files, in a directory of a test that stands for "/".
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace igptd {

class FakeKernel {
 public:
  FakeKernel() {
    std::string name = ::testing::TempDir() + "kernel-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  ~FakeKernel() { std::filesystem::remove_all(root_); }
  FakeKernel(const FakeKernel&) = delete;
  FakeKernel& operator=(const FakeKernel&) = delete;

  std::string root() const { return root_; }

  // `path` as in "/proc/self/cgroup".
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_.string() + path;
    std::filesystem::create_directories(file.parent_path());
    // Written to another file and renamed, so that a reader never sees half a file.
    std::ofstream(file.string() + ".new") << text;
    std::filesystem::rename(file.string() + ".new", file);
  }

 private:
  std::filesystem::path root_;
};

}  // namespace igptd
