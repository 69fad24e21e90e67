#include "flags.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using ::testing::ElementsAreArray;

struct Values {
  bool loud = false;
  std::string name = "ada";
  int32_t count = 0;
  absl::Duration limit = absl::Minutes(1);

  Flags MakeFlags() {
    Flags flags;
    flags.AddSwitch("loud", "make noise", &loud);
    flags.AddText("name", "NAME", "whose it is", &name);
    flags.AddNumber("count", "N", "how many", &count);
    flags.AddDuration("limit", "DURATION", "how long", &limit);
    return flags;
  }
};

std::vector<std::string> Line(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "command");
  return arguments;
}

TEST(FlagsTest, TheirDefaultsAreWhatWasThere) {
  Values values;
  const auto operands = values.MakeFlags().Parse(Line({}));
  ASSERT_TRUE(operands.ok());
  EXPECT_TRUE(operands->empty());
  EXPECT_FALSE(values.loud);
  EXPECT_EQ(values.name, "ada");
}

TEST(FlagsTest, StandAnywhere) {
  const struct {
    std::vector<std::string> arguments;
    std::vector<std::string> operands;
    Values values;
  } cases[] = {
      {{"a", "b"}, {"a", "b"}, {}},
      {{"a", "--loud", "b"}, {"a", "b"}, {.loud = true}},
      {{"--name=grace", "--count=-3", "--limit=90s"}, {}, {.name = "grace", .count = -3, .limit = absl::Seconds(90)}},
      {{"--name", "grace", "a"}, {"a"}, {.name = "grace"}},
      {{"--name="}, {}, {.name = ""}},
      {{"--", "--loud", "-x"}, {"--loud", "-x"}, {}},
      {{"-"}, {"-"}, {}},
  };
  for (const auto& row : cases) {
    Values values;
    const auto operands = values.MakeFlags().Parse(Line(row.arguments));
    ASSERT_TRUE(operands.ok()) << operands.status();
    EXPECT_THAT(*operands, ElementsAreArray(row.operands));
    EXPECT_EQ(values.loud, row.values.loud);
    EXPECT_EQ(values.name, row.values.name);
    EXPECT_EQ(values.count, row.values.count);
    EXPECT_EQ(values.limit, row.values.limit);
  }
}

TEST(FlagsTest, MistakesAreNamed) {
  const struct {
    std::vector<std::string> arguments;
    std::string error;
  } cases[] = {
      {{"--nothing"}, "cannot understand --nothing"},
      {{"a", "-xyz"}, "cannot understand -x"},
      {{"--loud=yes"}, "cannot understand --loud=yes"},
      {{"--name"}, "--name needs a value"},
      {{"--count=many"}, "--count must be a whole number"},
      {{"--count=99999999999"}, "--count must be a whole number"},
      {{"--limit=60"}, "--limit must be a duration such as 90s or 5m"},
      {{"--limit=-1s"}, "--limit must be a duration such as 90s or 5m"},
      {{"--limit=0"}, "--limit must be a duration such as 90s or 5m"},
  };
  for (const auto& row : cases) {
    Values values;
    EXPECT_EQ(values.MakeFlags().Parse(Line(row.arguments)).status().message(), row.error);
  }
}

TEST(FlagsTest, HelpHasTheDefaultsAndFits) {
  Values values;
  const Flags flags = values.MakeFlags();
  EXPECT_EQ(flags.Help(0),
            "  --loud            make noise\n"
            "  --name=NAME       whose it is (ada)\n"
            "  --count=N         how many\n"
            "  --limit=DURATION  how long (1m)\n");
  EXPECT_EQ(flags.Help(28),
            "  --loud            make\n"
            "                    noise\n"
            "  --name=NAME       whose it\n"
            "                    is (ada)\n"
            "  --count=N         how many\n"
            "  --limit=DURATION  how long\n"
            "                    (1m)\n");
}

}  // namespace
