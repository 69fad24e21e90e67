#include "service/config/file_watch.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/await.h"
#include "tests/support/scratch.h"

namespace igptd {
namespace {

using igpt::testing::AwaitTrue;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Watches two files, records which contents are used, and rejects those that contain "bad".
class FileWatchTest : public ::testing::Test {
 protected:
  igpt::testing::ScratchDirectory directory_;
  std::vector<std::string> used_;
  FileWatch watch_{"files",
                   {directory_.Write("a", "a1"), directory_.Write("b", "b1")},
                   {"a1", "b1"},
                   [this](const FileWatch::Contents& contents) {
                     const std::string both = contents[0] + "+" + contents[1];
                     if (both.find("bad") != std::string::npos) return absl::InvalidArgumentError("is bad");
                     used_.push_back(both);
                     return absl::OkStatus();
                   }};
};

TEST_F(FileWatchTest, WhatDoesNotChangeIsLeftAlone) {
  watch_.Look();
  watch_.Look();
  EXPECT_THAT(used_, IsEmpty());
}

TEST_F(FileWatchTest, WhatIsNewIsUsedOnceItStaysTheSame) {
  directory_.Write("a", "a2");
  watch_.Look();
  EXPECT_THAT(used_, IsEmpty());
  directory_.Write("b", "b2");
  watch_.Look();
  EXPECT_THAT(used_, IsEmpty());
  watch_.Look();
  EXPECT_THAT(used_, ElementsAre("a2+b2"));
  watch_.Look();
  watch_.Look();
  EXPECT_THAT(used_, ElementsAre("a2+b2"));
}

TEST_F(FileWatchTest, AFileWrittenInPlaceCounts) {
  std::ofstream(directory_.File("a"), std::ios::trunc) << "a2";
  watch_.Look();
  watch_.Look();
  EXPECT_THAT(used_, ElementsAre("a2+b1"));
}

TEST_F(FileWatchTest, WhatIsRefusedIsTriedAgain) {
  directory_.Write("a", "bad");
  for (int i = 0; i < 3; ++i) watch_.Look();
  EXPECT_THAT(used_, IsEmpty());
  directory_.Write("a", "a2");
  watch_.Look();
  watch_.Look();
  EXPECT_THAT(used_, ElementsAre("a2+b1"));
}

TEST_F(FileWatchTest, AFileThatIsGoneLeavesTheOld) {
  std::filesystem::remove(directory_.File("a"));
  watch_.Look();
  watch_.Look();
  EXPECT_THAT(used_, IsEmpty());
  directory_.Write("a", "a1");  // the old contents again
  watch_.Look();
  watch_.Look();
  EXPECT_THAT(used_, IsEmpty());
}

TEST_F(FileWatchTest, SaysWhetherTheLastAttemptWasRefused) {
  const absl::Time start = watch_.last_good();
  EXPECT_FALSE(watch_.refused());
  directory_.Write("a", "bad");
  EXPECT_TRUE(AwaitTrue([&] { return watch_.Look(), watch_.refused(); }));
  EXPECT_EQ(watch_.last_good(), start);
  directory_.Write("a", "a1");  // the old contents again
  EXPECT_TRUE(AwaitTrue([&] { return watch_.Look(), !watch_.refused(); }));
  EXPECT_EQ(watch_.last_good(), start);
  std::filesystem::remove(directory_.File("b"));
  EXPECT_TRUE(AwaitTrue([&] { return watch_.Look(), watch_.refused(); }));
  directory_.Write("b", "b2");
  EXPECT_TRUE(AwaitTrue([&] { return watch_.Look(), !watch_.refused(); }));
  EXPECT_GT(watch_.last_good(), start);
  EXPECT_THAT(used_, ElementsAre("a1+b2"));
}

// Whoever opens a FIFO to read it waits for a writer.
TEST_F(FileWatchTest, AFifoIsRefusedAndHoldsNothingUp) {
  std::filesystem::remove(directory_.File("a"));
  ASSERT_EQ(::mkfifo(directory_.File("a").c_str(), 0600), 0);
  EXPECT_TRUE(AwaitTrue([&] { return watch_.Look(), watch_.refused(); }));
  std::filesystem::remove(directory_.File("a"));
  directory_.Write("a", "a2");
  EXPECT_TRUE(AwaitTrue([&] { return watch_.Look(), !watch_.refused(); }));
  EXPECT_THAT(used_, ElementsAre("a2+b1"));
}

// As Kubernetes updates a secret: the files are links through a directory, which is itself a link.
TEST(FileWatchLinksTest, ASwapOfALinkChangesAllFilesAtOnce) {
  const igpt::testing::ScratchDirectory directory;
  const auto put = [&](const std::string& version) {
    std::filesystem::create_directory(directory.File(version));
    std::ofstream(directory.File(version + "/cert")) << "cert of " << version;
    std::ofstream(directory.File(version + "/key")) << "key of " << version;
    std::filesystem::create_directory_symlink(version, directory.File("..data_tmp"));
    std::filesystem::rename(directory.File("..data_tmp"), directory.File("..data"));
  };
  put("1");
  for (const char* name : {"cert", "key"}) {
    std::filesystem::create_symlink(std::string("..data/") + name, directory.File(name));
  }
  std::vector<FileWatch::Contents> used;
  FileWatch watch("secret", {directory.File("cert"), directory.File("key")}, {"cert of 1", "key of 1"},
                  [&](const FileWatch::Contents& contents) {
                    used.push_back(contents);
                    return absl::OkStatus();
                  });
  watch.Look();
  put("2");
  watch.Look();
  watch.Look();
  EXPECT_THAT(used, ElementsAre(ElementsAre("cert of 2", "key of 2")));
}

}  // namespace
}  // namespace igptd
