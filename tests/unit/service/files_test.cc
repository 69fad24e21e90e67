#include "service/system/files.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/scratch.h"

namespace igptd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr absl::Duration kGenerous = absl::Minutes(1);

TEST(FilesTest, RegularFilesAreRead) {
  const igpt::testing::ScratchDirectory directory;
  const std::string binary = std::string("a\0b\r\n", 5) + std::string(1 << 19, 'x');
  for (const std::string& text : {std::string(), std::string("text"), binary}) {
    const std::string path = directory.Write("file", text);
    EXPECT_EQ(ReadFile(path).value(), text);
    EXPECT_EQ(FileRead(path).Await(kGenerous).value(), text);
  }
  std::filesystem::create_symlink(directory.File("file"), directory.File("link"));
  EXPECT_EQ(ReadFile(directory.File("link")).value(), binary);
  EXPECT_THAT(ReadFile("/proc/self/cgroup").value(), HasSubstr("::"));
}

TEST(FilesTest, WhatCannotBeReadIsSaid) {
  const igpt::testing::ScratchDirectory directory;
  const std::string fifo = directory.File("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const struct {
    std::string path;
    const char* why;
  } kCases[] = {
      {directory.File("missing"), "can't be opened: No such file"},
      {directory.path(), "can't be read: Is a directory"},
      {directory.Write("large", std::string((1 << 20) + 1, 'x')), "is over 1 MiB"},
      {fifo, "is not a regular file"},
      {"/dev/zero", "is not a regular file"},
      {"", "can't be opened"},
  };
  for (const auto& [path, why] : kCases) {
    EXPECT_THAT(std::string(ReadFile(path).status().message()), AllOf(HasSubstr(path), HasSubstr(why)));
    EXPECT_THAT(std::string(FileRead(path).Await(kGenerous).status().message()),
                AllOf(HasSubstr(path), HasSubstr(why)));
  }
}

}  // namespace
}  // namespace igptd
