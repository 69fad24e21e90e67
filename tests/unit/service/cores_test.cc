#include "service/system/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <string_view>

namespace igptd {
namespace {

TEST(CoresOfCpuMax, FollowsTheLimit) {
  const struct {
    std::string_view cpu_max;
    int cores;
  } cases[] = {
      {"max 100000\n", 0},
      {"100000 100000\n", 1},
      {"1 100000\n", 1},
      {"100001 100000\n", 2},
      {"250000 100000\n", 3},
      {"400000 100000", 4},
      {"9000000000000 1", 4096},
      {"", 0},
      {"100000", 0},
      {"0 100000", 0},
      {"-1 100000", 0},
      {"100000 0", 0},
      {"x y", 0},
  };
  for (const auto& [cpu_max, cores] : cases) EXPECT_EQ(CoresOfCpuMax(cpu_max), cores) << cpu_max;
}

TEST(UsableCores, HeedsTheAffinity) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  EXPECT_GE(UsableCores(), 1);
  EXPECT_LE(UsableCores(), CPU_COUNT(&all));
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &all)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    break;
  }
  EXPECT_EQ(UsableCores(), 1);
  EXPECT_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
}

}  // namespace
}  // namespace igptd
