#include "service/limits/resource_guard.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/system/process.h"
#include "tests/unit/service/fake_kernel.h"

namespace igptd {
namespace {

using ::testing::DoubleNear;
using ::testing::Optional;

constexpr int64_t kMiB = 1 << 20;

// A machine with 1 GiB and version 2 of control groups.
class Kernel : public FakeKernel {
 public:
  Kernel() {
    SetResident(64 * kMiB);
    Write("/proc/meminfo", absl::StrCat("MemTotal:       ", 1 << 20, " kB\nMemFree:         1 kB\n"));
    Write("/proc/self/mountinfo", "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  }

  void SetResident(int64_t bytes) {
    Write("/proc/self/statm", absl::StrCat("100000 ", bytes / sysconf(_SC_PAGESIZE), " 7 7 0 7 0\n"));
  }
  void SetCgroup(const std::string& group, const std::string& max, int64_t current, int64_t inactive_file) {
    const std::string directory = absl::StrCat("/sys/fs/cgroup/", group);
    Write(directory + "/memory.max", max + "\n");
    Write(directory + "/memory.current", absl::StrCat(current, "\n"));
    Write(directory + "/memory.stat", absl::StrCat("anon 1\nfile 2\ninactive_file ", inactive_file, "\nslab 3\n"));
  }
};

auto Use(double use) {
  return Optional(DoubleNear(use, 0.001));
}

TEST(MemoryUseTest, WithoutALimitItIsWhatIsResidentOfTheMachines) {
  Kernel kernel;
  EXPECT_THAT(MemoryUse(kernel.root()), Use(64.0 / 1024));
  kernel.SetResident(512 * kMiB);
  EXPECT_THAT(MemoryUse(kernel.root()), Use(0.5));
  kernel.Write("/proc/self/cgroup", "0::/\n");
  EXPECT_THAT(MemoryUse(kernel.root()), Use(0.5));
  kernel.SetCgroup("", "max", 900 * kMiB, 0);
  EXPECT_THAT(MemoryUse(kernel.root()), Use(0.5));
}

TEST(MemoryUseTest, AContainersLimit) {
  Kernel kernel;
  kernel.Write("/proc/self/cgroup", "0::/\n");
  kernel.SetCgroup("", absl::StrCat(100 * kMiB), 90 * kMiB, 0);
  EXPECT_THAT(MemoryUse(kernel.root()), Use(0.9));
  // The kernel can drop inactive file pages at any time.
  kernel.SetCgroup("", absl::StrCat(100 * kMiB), 90 * kMiB, 60 * kMiB);
  EXPECT_THAT(MemoryUse(kernel.root()), Use(0.3));
  // The limit is raised while igptd runs.
  kernel.SetCgroup("", absl::StrCat(900 * kMiB), 90 * kMiB, 0);
  EXPECT_THAT(MemoryUse(kernel.root()), Use(0.1));
}

TEST(MemoryUseTest, TheFullestOfTheGroupsAbove) {
  Kernel kernel;
  kernel.Write("/proc/self/cgroup", "12:name=systemd:/elsewhere\n0::/pods/pod1/igptd\n");
  kernel.SetCgroup("pods/pod1/igptd", "max", 50 * kMiB, 0);
  EXPECT_THAT(MemoryUse(kernel.root()), Use(64.0 / 1024));
  kernel.SetCgroup("pods/pod1", absl::StrCat(100 * kMiB), 80 * kMiB, 0);
  EXPECT_THAT(MemoryUse(kernel.root()), Use(0.8));
  kernel.SetCgroup("pods/pod1/igptd", absl::StrCat(52 * kMiB), 50 * kMiB, 0);
  EXPECT_THAT(MemoryUse(kernel.root()), Use(50.0 / 52));
  kernel.SetCgroup("pods", absl::StrCat(1000 * kMiB), 990 * kMiB, 0);
  EXPECT_THAT(MemoryUse(kernel.root()), Use(0.99));
}

TEST(MemoryUseTest, WhatCannotBeReadIsNotKnown) {
  EXPECT_EQ(MemoryUse("/nowhere"), std::nullopt);
  Kernel kernel;
  kernel.Write("/proc/self/statm", "what?");
  EXPECT_EQ(MemoryUse(kernel.root()), std::nullopt);
}

TEST(MemoryUseTest, OfThisProcess) {
  const std::optional<double> use = MemoryUse();
  ASSERT_TRUE(use.has_value());
  EXPECT_GT(*use, 0);
  EXPECT_LT(*use, 1.1);
  EXPECT_GT(ReadProcessMemory().value_or(ProcessMemory()).resident, kMiB);
}

TEST(DescriptorUseTest, FollowsWhatIsOpenAndTheLimit) {
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit hundred = {.rlim_cur = 100, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &hundred), 0);
  const double use = DescriptorUse();
  EXPECT_GE(use, 0.03);
  std::vector<int> fds;
  for (int i = 0; i < 20; ++i) fds.push_back(dup(0));
  EXPECT_NEAR(DescriptorUse(), use + 0.2, 1e-9);
  for (int fd = dup(0); fd >= 0; fd = dup(0)) fds.push_back(fd);
  EXPECT_EQ(DescriptorUse(), 1);
  for (const int fd : fds) close(fd);
  EXPECT_EQ(DescriptorUse(), use);
  RaiseDescriptorLimit();
  rlimit raised = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &raised), 0);
  EXPECT_EQ(raised.rlim_cur, before.rlim_max);
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(NextStrainTest, EasesBelowWhereItBegan) {
  struct {
    Strain last;
    double used;
    Strain next;
  } const kTable[] = {
      {Strain::kNone, 0, Strain::kNone},      {Strain::kNone, 0.74, Strain::kNone},
      {Strain::kNone, 0.76, Strain::kTight},  {Strain::kNone, 0.86, Strain::kFull},
      {Strain::kTight, 0.84, Strain::kTight}, {Strain::kTight, 0.71, Strain::kTight},
      {Strain::kTight, 0.69, Strain::kNone},  {Strain::kTight, 0.86, Strain::kFull},
      {Strain::kFull, 0.81, Strain::kFull},   {Strain::kFull, 0.79, Strain::kTight},
      {Strain::kFull, 0.69, Strain::kNone},   {Strain::kFull, 1.5, Strain::kFull},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(NextStrain(row.last, row.used), row.next) << static_cast<int>(row.last) << " " << row.used;
  }
}

TEST(ResourceGuardTest, FollowsMemoryAndTellsOfIt) {
  Kernel kernel;
  kernel.Write("/proc/self/cgroup", "0::/\n");
  const auto use = [&kernel](int percent) { kernel.SetCgroup("", absl::StrCat(100 * kMiB), percent * kMiB, 0); };
  use(50);
  std::atomic<int> told_full = 0;
  std::atomic<int> told_none = 0;
  ResourceGuard guard(
      [&](Strains now) {
        if (now.memory == Strain::kFull) ++told_full;
        if (now.memory == Strain::kNone) ++told_none;
      },
      kernel.root());
  const auto becomes = [&guard](Strain memory) {
    for (const absl::Time limit = absl::Now() + absl::Seconds(30); absl::Now() < limit;) {
      if (guard.strains().memory == memory) return true;
      absl::SleepFor(absl::Milliseconds(1));
    }
    return false;
  };
  use(80);
  EXPECT_TRUE(becomes(Strain::kTight));
  EXPECT_DOUBLE_EQ(guard.use().memory, 0.8);
  use(90);
  EXPECT_TRUE(becomes(Strain::kFull));
  // on_strain is called again and again.
  const auto awaits = [](const std::atomic<int>& told, int count) {
    for (const absl::Time limit = absl::Now() + absl::Seconds(30); absl::Now() < limit;) {
      if (told >= count) return true;
      absl::SleepFor(absl::Milliseconds(1));
    }
    return false;
  };
  EXPECT_TRUE(awaits(told_full, 2));
  use(78);
  EXPECT_TRUE(becomes(Strain::kTight));
  use(10);
  EXPECT_TRUE(becomes(Strain::kNone));
  EXPECT_EQ(guard.strains().descriptors, Strain::kNone);
  EXPECT_GT(guard.use().descriptors, 0);
  EXPECT_TRUE(awaits(told_none, 1));
}

}  // namespace
}  // namespace igptd
