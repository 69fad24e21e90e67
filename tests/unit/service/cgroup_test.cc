#include "service/system/cgroup.h"

#include <sched.h>

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/system/cores.h"
#include "service/system/resources.h"
#include "tests/unit/service/fake_kernel.h"

namespace igptd {
namespace {

using ::testing::DoubleNear;
using ::testing::Optional;

constexpr char kV2[] = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr char kHybrid[] =
    "30 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "31 30 0:29 / /sys/fs/cgroup/unified rw shared:5 - cgroup2 cgroup2 rw\n"
    "32 30 0:30 / /sys/fs/cgroup/systemd rw shared:6 - cgroup cgroup rw,xattr,name=systemd\n"
    "33 30 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:7 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 30 0:32 / /sys/fs/cgroup/memory rw shared:8 - cgroup cgroup rw,memory\n";

// A mount of version 1 or 2 whose top is another group than the root.
std::string MountOf(const std::string& top, const std::string& where, const std::string& type, const char* options) {
  return absl::StrCat("40 23 0:40 ", top, " ", where, " ro,nosuid master:9 - ", type, " cgroup ", options, "\n");
}

// A machine: what /proc/self says, and the files of some groups. Every group uses 80 MiB, of which the kernel can drop
// 10; what is resident is 1 % of the machine's memory.
struct Machine {
  const char* name;
  std::string cgroup;
  std::string mountinfo;
  std::map<std::string, std::string> files;
  double memory = 0.01;
  int cores = 0;  // 0: no limit
};
void PrintTo(const Machine& machine, std::ostream* out) {
  *out << machine.name;
}

std::string MiB(int count) {
  return absl::StrCat(int64_t{count} << 20, "\n");
}

// Both limits of the group in this directory, in each version's files.
std::map<std::string, std::string> Limits2(const std::string& directory, int mib, const std::string& cpu_max) {
  const std::string at = "/sys/fs/cgroup" + directory;
  return {{at + "/memory.max", mib == 0 ? "max\n" : MiB(mib)},
          {at + "/memory.current", MiB(80)},
          {at + "/memory.stat", absl::StrCat("anon 1\ninactive_file ", MiB(10))},
          {at + "/cpu.max", cpu_max}};
}
std::map<std::string, std::string> Memory1(const std::string& directory, int mib) {
  const std::string at = "/sys/fs/cgroup/memory" + directory;
  return {{at + "/memory.limit_in_bytes", mib == 0 ? "9223372036854771712\n" : MiB(mib)},
          {at + "/memory.usage_in_bytes", MiB(80)},
          {at + "/memory.stat", absl::StrCat("inactive_file 1\ntotal_inactive_file ", MiB(10))}};
}
std::map<std::string, std::string> Cpu1(const std::string& directory, const std::string& quota) {
  const std::string at = "/sys/fs/cgroup/cpu,cpuacct" + directory;
  return {{at + "/cpu.cfs_quota_us", quota}, {at + "/cpu.cfs_period_us", "100000\n"}};
}
std::map<std::string, std::string> All(const std::vector<std::map<std::string, std::string>>& parts) {
  std::map<std::string, std::string> all;
  for (const auto& part : parts) all.insert(part.begin(), part.end());
  return all;
}

const Machine kMachines[] = {
    {"NoGroups", "", "", {}},
    {"V2Root", "0::/\n", kV2, {}},
    {"V2Container", "0::/\n", kV2, Limits2("", 100, "100000 100000\n"), 0.7, 1},
    {"V2OfSystemd", "0::/system.slice/igptd.service\n", kV2,
     All({Limits2("/system.slice/igptd.service", 140, "100000 100000\n"), Limits2("/system.slice", 0, "max 100000\n")}),
     0.5, 1},
    {"V2TheLeastOfAllGroups", "0::/pods/pod/igptd\n", kV2,
     All({Limits2("/pods/pod/igptd", 700, "max 100000\n"), Limits2("/pods/pod", 140, "max 100000\n"),
          Limits2("/pods", 280, "50000 100000\n")}),
     0.5, 1},
    {"V2WithoutLimits", "0::/a\n", kV2, Limits2("/a", 0, "max 100000\n")},
    {"V2OutsideTheNamespace", "0::/../../other\n", kV2,
     All({Limits2("", 140, "100000 100000\n"), Limits2("/other", 70, "max 100000\n")}), 0.5, 1},
    {"V2MountOutsideTheNamespace", "0::/../other\n", MountOf("/..", "/sys/fs/cgroup", "cgroup2", "rw"),
     Limits2("/other", 140, "100000 100000\n"), 0.5, 1},
    {"V2MountedElsewhere",
     "0::/a\n",
     MountOf("/", "/run/with\\040space", "cgroup2", "rw"),
     {{"/run/with space/a/memory.max", MiB(100)}, {"/run/with space/a/memory.current", MiB(90)}},
     0.9},
    {"V1OfSystemd",
     "5:memory:/system.slice/igptd.service\n4:cpu,cpuacct:/system.slice/igptd.service\n"
     "1:name=systemd:/system.slice/igptd.service\n0::/system.slice/igptd.service\n",
     kHybrid,
     All({Memory1("/system.slice/igptd.service", 140), Memory1("/system.slice", 0), Memory1("", 0),
          Cpu1("/system.slice/igptd.service", "-1\n"), Cpu1("/system.slice", "100000\n")}),
     0.5, 1},
    {"V1WithoutLimits", "5:memory:/\n4:cpu,cpuacct:/\n0::/\n", kHybrid, All({Memory1("", 0), Cpu1("", "-1\n")})},
    {"V1DockerWithoutNamespace", "5:memory:/docker/0123\n4:cpuacct,cpu:/docker/0123\n",
     MountOf("/docker/0123", "/sys/fs/cgroup/memory", "cgroup", "rw,memory") +
         MountOf("/docker/0123", "/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct"),
     All({Memory1("", 140), Cpu1("", "100000\n")}), 0.5, 1},
    {"V1AGroupOfTheContainersOwn", "5:memory:/docker/0123/own\n",
     MountOf("/docker/0123", "/sys/fs/cgroup/memory", "cgroup", "rw,memory"),
     All({Memory1("", 140), Memory1("/own", 100)}), 0.7},
    {"V1APathThatIsNotThere", "5:memory:/docker/0123\n", MountOf("/", "/sys/fs/cgroup/memory", "cgroup", "rw,memory"),
     Memory1("", 140), 0.5},
    {"V1AMountOfAnotherGroup", "5:memory:/docker/0123\n",
     MountOf("/docker/01234", "/sys/fs/cgroup/memory", "cgroup", "rw,memory"), Memory1("", 140), 0.5},
    {"V1TheMountThatHasTheGroup", "5:memory:/a\n",
     MountOf("/b", "/mnt", "cgroup", "rw,memory") + MountOf("/", "/sys/fs/cgroup/memory", "cgroup", "rw,memory"),
     Memory1("/a", 140), 0.5},
    {"MemoryOfV1AndCpuOfV2", "5:memory:/m\n0::/c\n",
     std::string(kV2) + MountOf("/", "/sys/fs/cgroup/memory", "cgroup", "rw,memory"),
     All({Memory1("/m", 140), Limits2("/c", 70, "100000 100000\n"), Limits2("/m", 70, "max 100000\n")}), 0.5, 1},
    {"V1ThatIsNotMounted", "5:memory:/a\n0::/a\n", kV2, Limits2("/a", 140, "100000 100000\n"), 0.01, 1},
    {"Nonsense", "::::\n0::\n5:memory\n", "a b c\n- - -\n1 2 3 / /sys/fs/cgroup -\n",
     Limits2("", 100, "100000 100000\n")},
};

class MachineTest : public ::testing::TestWithParam<Machine> {
 protected:
  MachineTest() {
    const Machine& machine = GetParam();
    kernel_.Write("/proc/self/statm", absl::StrCat("100000 ", (1 << 20) / sysconf(_SC_PAGESIZE), " 7 7 0 7 0\n"));
    kernel_.Write("/proc/meminfo", absl::StrCat("MemTotal:       ", 100 << 10, " kB\n"));
    kernel_.Write("/proc/self/cgroup", machine.cgroup);
    kernel_.Write("/proc/self/mountinfo", "22 23 0:20 / /proc rw shared:2 - proc proc rw\n" + machine.mountinfo);
    for (const auto& [path, text] : machine.files) kernel_.Write(path, text);
  }

  FakeKernel kernel_;
};

TEST_P(MachineTest, LimitsMemory) {
  EXPECT_THAT(MemoryUse(kernel_.root()), Optional(DoubleNear(GetParam().memory, 0.001)));
}

TEST_P(MachineTest, LimitsCores) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  EXPECT_EQ(UsableCores(kernel_.root()), GetParam().cores == 0 ? CPU_COUNT(&all) : GetParam().cores);
}

INSTANTIATE_TEST_SUITE_P(Machines, MachineTest, ::testing::ValuesIn(kMachines),
                         [](const auto& machine) { return std::string(machine.param.name); });

}  // namespace
}  // namespace igptd
