#include "service/observe/trace_context.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace igptd {
namespace {

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kParentId[] = "00f067aa0ba902b7";

// A header with these fields.
std::string Traceparent(const std::string& version, const std::string& trace_id, const std::string& parent_id,
                        const std::string& flags) {
  return version + "-" + trace_id + "-" + parent_id + "-" + flags;
}

TEST(TraceparentTest, WhatIsWellFormedIsRead) {
  struct Case {
    std::string version;
    std::string flags_and_more;
    bool sampled;
  };
  const Case cases[] = {
      {"00", "01", true},
      {"00", "00", false},
      {"00", "02", false},
      {"00", "03", true},
      {"00", "ff", true},
      {"00", "fe", false},
      {"00", "0a", false},
      {"00", "1b", true},
      {"01", "01", true},  // a later version
      {"cc", "01-what-the-future-will-be-like", true},
      {"cc", "00-", false},
      {"fe", "09", true},
  };
  for (const Case& row : cases) {
    const std::string header = Traceparent(row.version, kTraceId, kParentId, row.flags_and_more);
    for (const std::string& sent : {header, " " + header, header + "\t "}) {
      const std::optional<TraceParent> parent = ParseTraceparent(sent);
      ASSERT_TRUE(parent.has_value()) << sent;
      EXPECT_EQ(parent->trace_id, kTraceId) << sent;
      EXPECT_EQ(parent->parent_id, kParentId) << sent;
      EXPECT_EQ(parent->sampled, row.sampled) << sent;
    }
  }
}

TEST(TraceparentTest, WhatIsNotIsAsIfAbsent) {
  const std::string zeros32(32, '0');
  const std::string zeros16(16, '0');
  const std::string good = Traceparent("00", kTraceId, kParentId, "01");
  const std::vector<std::string> cases = {
      "",
      "-",
      "---",
      good.substr(0, 54),
      good + "0",
      good + "-",
      good + "-01",
      good + "\n",
      good + "," + good,
      Traceparent("ff", kTraceId, kParentId, "01"),
      Traceparent("0", kTraceId, kParentId, "01"),
      Traceparent("000", kTraceId, kParentId, "01"),
      Traceparent("0A", kTraceId, kParentId, "01"),
      Traceparent("0g", kTraceId, kParentId, "01"),
      Traceparent(".0", kTraceId, kParentId, "01"),
      Traceparent("cc", kTraceId, kParentId, "01.what-the-future-will-not-be-like"),
      Traceparent("cc", kTraceId, kParentId, "011"),
      Traceparent("00", zeros32, kParentId, "01"),
      Traceparent("00", kTraceId, zeros16, "01"),
      Traceparent("01", zeros32, kParentId, "01"),
      Traceparent("00", "4BF92F3577B34DA6A3CE929D0E0E4736", kParentId, "01"),
      Traceparent("00", "4bf92f3577b34da6a3ce929d0e0e473.", kParentId, "01"),
      Traceparent("00", "4bf92f3577b34da6a3ce929d0e0e473", std::string(kParentId) + "0", "01"),
      Traceparent("00", kTraceId, "00F067AA0BA902B7", "01"),
      Traceparent("00", kTraceId, "00f067aa0ba902b ", "01"),
      Traceparent("00", kTraceId, std::string("00f067aa\0ba902b7", 16), "01"),
      Traceparent("00", kTraceId, kParentId, "0"),
      Traceparent("00", kTraceId, kParentId, "0G"),
      Traceparent("00", kTraceId, kParentId, "0B"),
      Traceparent("00", kTraceId, kParentId, "x1"),
      Traceparent("00", kTraceId, kParentId, " 1"),
      "00_" + good.substr(3),
      good.substr(0, 35) + "_" + good.substr(36),
      good.substr(0, 52) + "_" + good.substr(53),
  };
  for (const std::string& header : cases) EXPECT_FALSE(ParseTraceparent(header).has_value()) << header;
}

// Of a call whose caller sent this `traceparent`, or none.
TraceContext Sampled(const Sampling& sampling, const std::string& header) {
  TraceContext trace = header.empty() ? ContinueTrace({}, {}) : ContinueTrace({header}, {});
  Sample(sampling, trace);
  EXPECT_EQ(trace.recorded, trace.sampled()) << trace.traceparent;
  return trace;
}

TEST(SampleTest, AParentDecidesWhereItMay) {
  const std::string on = Traceparent("00", kTraceId, kParentId, "01");
  const std::string off = Traceparent("00", kTraceId, kParentId, "00");
  for (const double ratio : {0.0, 1.0}) {
    EXPECT_TRUE(Sampled({.as_parent = true, .ratio = ratio}, on).recorded);
    EXPECT_FALSE(Sampled({.as_parent = true, .ratio = ratio}, off).recorded);
    for (const std::string& header : {std::string(), on, off}) {
      EXPECT_EQ(Sampled({.as_parent = false, .ratio = ratio}, header).recorded, ratio == 1) << header;
    }
    EXPECT_EQ(Sampled({.as_parent = true, .ratio = ratio}, "").recorded, ratio == 1);
  }
}

TEST(SampleTest, TheTraceIdDecidesByTheRatio) {
  const auto recorded = [](const std::string& last_digits) {
    const std::string trace_id = std::string(32 - last_digits.size(), 'a') + last_digits;
    return Sampled({.as_parent = false, .ratio = 0.25}, Traceparent("00", trace_id, kParentId, "00")).recorded;
  };
  EXPECT_TRUE(recorded("00000000"));
  EXPECT_TRUE(recorded("3fffffff"));
  EXPECT_FALSE(recorded("40000000"));
  EXPECT_FALSE(recorded("ffffffff"));
}

TEST(SampleTest, TheParentIsRemembered) {
  EXPECT_EQ(ContinueTrace({Traceparent("00", kTraceId, kParentId, "01")}, {}).parent_id, 0x00f067aa0ba902b7U);
  EXPECT_EQ(ContinueTrace({}, {}).parent_id, 0U);
}

// "<prefix>0=1,<prefix>1=1,…"
std::string Members(int count, const std::string& prefix = "m") {
  std::string state;
  for (int i = 0; i < count; ++i) state += (i == 0 ? "" : ",") + prefix + std::to_string(i) + "=1";
  return state;
}

// A member of this many bytes.
std::string MemberOf(size_t bytes) {
  return "k=" + std::string(bytes - 2, 'v');
}

TEST(TracestateTest, WhatIsWellFormedIsPassedOnInOrder) {
  const std::string a256(256, 'a');
  const std::string printable =
      " !\"#$%&'()*+-./0123456789:;<>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
  struct Case {
    std::vector<std::string_view> headers;
    std::string state;
  };
  const std::string all_characters = "a=" + printable;
  const std::string long_key = a256 + "=1";
  const std::string long_value = "a=" + a256;
  const std::string long_tenant = std::string(241, 't') + "@" + std::string(14, 's') + "=1";
  const std::string members = Members(32);
  const std::string many = Members(20, "a");
  const std::string more = Members(12, "b");
  const std::string full = MemberOf(256) + "," + MemberOf(255);
  const Case cases[] = {
      {{}, ""},
      {{""}, ""},
      {{"a=1"}, "a=1"},
      {{"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"},
      {{"b=2", "a=1"}, "b=2,a=1"},
      {{"", "a=1", ""}, "a=1"},
      {{"a=1,", ",,b=2"}, "a=1,b=2"},
      {{" a=1 \t,\tb=2 "}, "a=1,b=2"},
      {{"a=1,a=2"}, "a=1,a=2"},  // the specification tolerates duplicates
      {{"a= 1"}, "a= 1"},
      {{"z0_-*/=1,0t_-*/@s_-*/=2"}, "z0_-*/=1,0t_-*/@s_-*/=2"},
      {{all_characters}, all_characters},
      {{long_key}, long_key},
      {{long_value}, long_value},
      {{long_tenant}, long_tenant},
      {{members}, members},
      {{many, more}, many + "," + more},
      {{full}, full},
  };
  for (const Case& row : cases) EXPECT_EQ(ParseTracestate(row.headers), row.state);
}

TEST(TracestateTest, WhatIsNotIsDroppedWhole) {
  const std::string a257(257, 'a');
  const std::vector<std::string> cases = {
      "a",
      "=1",
      "a=",
      "a= ",
      "a =1",
      " =1",
      "A=1",
      "1a=1",
      "-a=1",
      "a.b=1",
      "a@=1",
      "@s=1",
      "a@1=1",
      "a@s@t=1",
      "a=1=2",
      "a=1;b=2\x7F",
      "a=\x01",
      "a=\n1",
      "a=\xC3\xA9",
      "b=2,a",
      a257 + "=1",
      "a=" + a257,
      std::string(242, 't') + "@s=1",
      "t@" + std::string(15, 's') + "=1",
      Members(33),
      MemberOf(256) + "," + MemberOf(256),
  };
  for (const std::string& header : cases) {
    EXPECT_EQ(ParseTracestate({header}), "") << header;
    EXPECT_EQ(ParseTracestate({"good=1", header}), "") << header;
  }
}

}  // namespace
}  // namespace igptd
