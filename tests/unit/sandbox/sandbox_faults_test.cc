#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "service/sandbox/faults.h"
#include "service/sandbox/json.h"

namespace igptd::sandbox {
namespace {

using ::testing::HasSubstr;

TEST(FaultsTest, NothingIsNoFault) {
  for (const char* header : {"", " ", ";", " ; ; "}) {
    const absl::StatusOr<Faults> faults = ParseFaults(header);
    ASSERT_TRUE(faults.ok()) << header;
    EXPECT_EQ(faults->delay, absl::ZeroDuration());
    EXPECT_EQ(faults->status, 200);
    EXPECT_FALSE(faults->html || faults->empty || faults->noend);
    EXPECT_FALSE(faults->cut || faults->stall || faults->malformed || faults->utf8 || faults->after || faults->times);
    EXPECT_EQ(Break(*faults, 0, "{}"), "{}");
  }
}

TEST(FaultsTest, ReadsAll) {
  const absl::StatusOr<Faults> faults = ParseFaults(
      "delay=500ms; status=503; retry-after = Wed, 21 Oct 2026 07:28:00 GMT ;html;empty;error=quota;after=1;cut=3;"
      "stall=2;malformed=0;utf8=4;huge=2097152;noend;split=1;times=2;");
  ASSERT_TRUE(faults.ok()) << faults.status();
  EXPECT_EQ(faults->delay, absl::Milliseconds(500));
  EXPECT_EQ(faults->status, 503);
  EXPECT_EQ(faults->retry_after, "Wed, 21 Oct 2026 07:28:00 GMT");
  EXPECT_TRUE(faults->html);
  EXPECT_TRUE(faults->empty);
  EXPECT_EQ(faults->error, "quota");
  EXPECT_EQ(faults->after, 1u);
  EXPECT_EQ(faults->cut, 3u);
  EXPECT_EQ(faults->stall, 2u);
  EXPECT_EQ(faults->malformed, 0u);
  EXPECT_EQ(faults->utf8, 4u);
  EXPECT_EQ(faults->huge, 2097152u);
  EXPECT_TRUE(faults->noend);
  EXPECT_EQ(faults->split, 1u);
  EXPECT_EQ(faults->times, 2u);
}

TEST(FaultsTest, NamesWhatItDoesNotTake) {
  for (const auto& [header, name] :
       std::initializer_list<std::pair<const char*, const char*>>{{"explode", "explode"},
                                                                  {"cut=1; Status=503", "Status"},
                                                                  {"=1", "unknown fault: "},
                                                                  {"delay=soon", "delay"},
                                                                  {"delay=-1s", "delay"},
                                                                  {"delay=2h", "delay"},
                                                                  {"delay", "delay"},
                                                                  {"status=99", "status"},
                                                                  {"status=100", "status"},
                                                                  {"status=600", "status"},
                                                                  {"status=", "status"},
                                                                  {"cut=-1", "cut"},
                                                                  {"cut=1.5", "cut"},
                                                                  {"cut=", "cut"},
                                                                  {"times=x", "times"},
                                                                  {"split=0", "split"},
                                                                  {"huge=99999999999", "huge"},
                                                                  {"error=", "error"},
                                                                  {"retry-after", "retry-after"},
                                                                  {"html=1", "html"},
                                                                  {"noend=yes", "noend"}}) {
    const absl::StatusOr<Faults> faults = ParseFaults(header);
    EXPECT_EQ(faults.status().code(), absl::StatusCode::kInvalidArgument) << header;
    EXPECT_THAT(std::string(faults.status().message()), HasSubstr(name));
  }
}

TEST(FaultsTest, BreaksTheOneEvent) {
  Faults faults;
  faults.malformed = 2;
  faults.utf8 = 3;
  const std::string text = R"({"type":"x"})";
  EXPECT_EQ(Break(faults, 1, text), text);
  EXPECT_TRUE(Json::parse(Break(faults, 2, text), nullptr, false).is_discarded());
  EXPECT_EQ(Break(faults, 3, text), "{\"\xFFtype\":\"x\"}");
}

TEST(FaultsTest, PadsToTheByte) {
  Faults faults;
  faults.huge = 1000;
  const std::string text = R"({"type":"x"})";
  EXPECT_EQ(Break(faults, 1, text), text);
  const std::string padded = Break(faults, 0, text);
  EXPECT_EQ(padded.size(), 1000u);
  EXPECT_EQ(Json::parse(padded)["type"], "x");
  faults.after = 1;
  EXPECT_EQ(Break(faults, 0, text), text);
  EXPECT_EQ(Break(faults, 1, text).size(), 1000u);
  faults.huge = 1;  // too small to reach: still JSON
  EXPECT_EQ(Json::parse(Break(faults, 1, text))["type"], "x");
}

TEST(FaultCounterTest, CountsByRequest) {
  FaultCounter counter;
  Faults twice;
  twice.times = 2;
  EXPECT_TRUE(counter.Applies("a", twice));
  EXPECT_TRUE(counter.Applies("b", twice));
  EXPECT_TRUE(counter.Applies("a", twice));
  EXPECT_FALSE(counter.Applies("a", twice));
  EXPECT_TRUE(counter.Applies("b", twice));
  EXPECT_FALSE(counter.Applies("b", twice));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(counter.Applies("a", Faults()));
}

}  // namespace
}  // namespace igptd::sandbox
