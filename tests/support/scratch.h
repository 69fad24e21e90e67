// A temporary directory for a test, with files that are replaced atomically.
#pragma once

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "gtest/gtest.h"

namespace igpt::testing {

class ScratchDirectory {
 public:
  ScratchDirectory() : path_(::testing::TempDir() + "igptd-fault-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  // Replaces the file as a rotation does, and returns its path.
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(File(".new")) << text;
    std::filesystem::rename(File(".new"), File(name));
    return File(name);
  }
  // Atomically makes `link` point to `target`, as Kubernetes updates a mounted secret.
  void SwapLink(const std::string& link, const std::string& target) const {
    std::filesystem::create_directory_symlink(target, File(".new"));
    std::filesystem::rename(File(".new"), File(link));
  }

 private:
  std::string path_;
};

}  // namespace igpt::testing
