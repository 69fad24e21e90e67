// The checker finds each kind of violation in handmade histories.
#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "igpt/testing/http_message.h"
#include "soak/checker.h"
#include "soak/script.h"

namespace igpt::soak {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kCall = 7;
constexpr uint32_t kUser = 3;

MonotonicTime At(int milliseconds) {
  return MonotonicTime() + absl::Seconds(1000) + absl::Milliseconds(milliseconds);
}

Mark MarkOf(uint32_t seq, uint32_t attempt = 1) {
  return {kCall, kUser, attempt, seq};
}

Attempt MakeAttempt(int number, Fault fault, int whole_events) {
  Attempt attempt;
  attempt.call = kCall;
  attempt.number = number;
  attempt.fault = fault;
  attempt.arrived_at = At(number);
  attempt.whole_events = whole_events;
  attempt.end = Attempt::End::kDone;
  attempt.ended_at = At(50);
  return attempt;
}

// A stream of five events, correctly requested, delivered and logged.
History GoodHistory() {
  CallRecord call;
  call.plan.call = kCall;
  call.plan.user = kUser;
  call.plan.events = 5;
  call.started_at = At(0);
  call.ended_at = At(60);
  call.code = grpc::StatusCode::OK;
  call.received = {{MarkOf(0), 5}};
  History history;
  history.calls.push_back(call);
  history.attempts.push_back(MakeAttempt(1, Fault::kNone, 5));
  history.log.push_back({kCall, "OK", "", absl::Milliseconds(59)});
  return history;
}

// The same with a failure after three events.
History FailedHistory(Fault fault, grpc::StatusCode code, const std::string& name, const std::string& reason) {
  History history = GoodHistory();
  history.attempts = {MakeAttempt(1, fault, 3)};
  CallRecord& call = history.calls[0];
  call.received = {{MarkOf(0), 3}};
  call.code = code;
  call.reason = reason;
  history.log[0].code = name;
  history.log[0].reason = reason;
  return history;
}

// The same, lost while an igptd drained.
History LostHistory() {
  History history = GoodHistory();
  history.attempts.clear();
  history.log.clear();
  history.drains = {{At(-1000), At(1000)}};
  CallRecord& call = history.calls[0];
  call.received.clear();
  call.code = grpc::StatusCode::UNAVAILABLE;
  call.message = "GOAWAY received";
  return history;
}

// The same, given up by its caller, of which igptd learned late.
History HeldUpHistory(absl::Duration late) {
  History history = FailedHistory(Fault::kFlood, grpc::StatusCode::CANCELLED, "CANCELLED", "REQUEST_ABORTED");
  CallRecord& call = history.calls[0];
  call.cancelled_at = At(59);
  history.attempts[0].ended_at = call.ended_at + late;
  history.log[0].duration = call.ended_at - call.started_at + late;
  return history;
}

std::vector<std::string> WhatIsWrong(const History& history) {
  std::vector<std::string> all;
  for (const Violation& violation : Check(history)) all.push_back(violation.what);
  return all;
}

TEST(SoakCheckerTest, NothingIsWrong) {
  using grpc::StatusCode;
  EXPECT_THAT(WhatIsWrong(GoodHistory()), IsEmpty());
  EXPECT_THAT(WhatIsWrong(LostHistory()), IsEmpty());
  EXPECT_THAT(WhatIsWrong(HeldUpHistory(kHeldUp)), IsEmpty());
  for (const Fault fault : {Fault::kFin, Fault::kRst, Fault::kUnfinished}) {
    EXPECT_THAT(WhatIsWrong(FailedHistory(fault, StatusCode::UNAVAILABLE, "UNAVAILABLE", "STREAM_TRUNCATED")),
                IsEmpty());
  }
  EXPECT_THAT(
      WhatIsWrong(FailedHistory(Fault::kStall, StatusCode::DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "IGPT_TIMEOUT")),
      IsEmpty());
  EXPECT_THAT(
      WhatIsWrong(FailedHistory(Fault::kErrorEvent, StatusCode::INVALID_ARGUMENT, "INVALID_ARGUMENT", "IGPT_PARAMS")),
      IsEmpty());
  EXPECT_THAT(WhatIsWrong(FailedHistory(Fault::kMalformed, StatusCode::DATA_LOSS, "DATA_LOSS", "STREAM_MALFORMED")),
              IsEmpty());
}

struct Case {
  const char* name;
  std::function<void(History&)> spoil;
  const char* expected;
};

class SoakCheckerSpoiledTest : public ::testing::TestWithParam<Case> {};

TEST_P(SoakCheckerSpoiledTest, IsFound) {
  History history = GoodHistory();
  GetParam().spoil(history);
  EXPECT_THAT(WhatIsWrong(history), ElementsAre(HasSubstr(GetParam().expected)));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, SoakCheckerSpoiledTest,
    ::testing::Values(
        Case{"LostFirst",
             [](History& h) {
               h.calls[0].received = {{MarkOf(1), 4}};
               h.calls[0].plan.events = 4;
             },
             "events 0 to 0 are lost"},
        Case{"LostWithin",
             [](History& h) {
               h.calls[0].received = {{MarkOf(0), 2}, {MarkOf(3), 2}};
               h.calls[0].plan.events = 4;
             },
             "events 2 to 2 are lost"},
        Case{"LostLast",
             [](History& h) {
               h.calls[0].received = {{MarkOf(0), 4}};
             },
             "OK with 4 of 5 events"},
        Case{"Repeated",
             [](History& h) {
               h.calls[0].received = {{MarkOf(0), 3}, {MarkOf(2), 2}};
             },
             "event 2 is repeated"},
        Case{"OfAnotherCall", [](History& h) { h.calls[0].received[0].first.call = 8; }, "an event of call 8"},
        Case{"OfAnotherUser", [](History& h) { h.calls[0].received[0].first.user = 4; }, "an event of user 4"},
        Case{"Damaged", [](History& h) { h.calls[0].damaged = {"3: x"}; }, "damaged"},
        Case{"OfTwoAttempts",
             [](History& h) {
               h.attempts = {MakeAttempt(1, Fault::kRst, 2), MakeAttempt(2, Fault::kNone, 5)};
               h.calls[0].received = {{MarkOf(0, 2), 2}, {MarkOf(2, 1), 3}};
             },
             "events of attempts 2 and 1"},
        Case{"OfAnEarlierAttempt",
             [](History& h) {
               h.attempts = {MakeAttempt(1, Fault::kRst, 5), MakeAttempt(2, Fault::kNone, 5)};
             },
             "an attempt that was not the last"},
        Case{"OkThoughTruncated", [](History& h) { h.attempts[0].fault = Fault::kUnfinished; },
             "OK after run unfinished"},
        Case{"OkUnasked", [](History& h) { h.attempts.clear(); }, "OK, but nothing was asked"},
        Case{"UnfitStatus",
             [](History& h) {
               h = FailedHistory(Fault::kMalformed, grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE", "STREAM_TRUNCATED");
             },
             "UNAVAILABLE/STREAM_TRUNCATED after malformed"},
        Case{"UnfitReason",
             [](History& h) { h = FailedHistory(Fault::kFin, grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE", ""); },
             "UNAVAILABLE/ after FIN"},
        Case{"CancelledByNobody",
             [](History& h) { h = FailedHistory(Fault::kNone, grpc::StatusCode::CANCELLED, "CANCELLED", ""); },
             "CANCELLED/ after no fault"},
        Case{"DeadlineTooEarly",
             [](History& h) {
               h = FailedHistory(Fault::kNone, grpc::StatusCode::DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "DEADLINE");
               h.calls[0].plan.deadline = absl::Seconds(1);
             },
             "DEADLINE_EXCEEDED/DEADLINE after no fault"},
        Case{"FailedWithoutFault",
             [](History& h) {
               h = FailedHistory(Fault::kNone, grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE", "SHUTTING_DOWN");
             },
             "UNAVAILABLE/SHUTTING_DOWN after no fault"},
        Case{"NetworkErrorWithoutOutage",
             [](History& h) {
               h = FailedHistory(Fault::kNone, grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE", "NETWORK_ERROR");
               h.calls[0].received.clear();
               h.attempts.clear();
             },
             "nothing was asked"},
        Case{"LostButLogged",
             [](History& h) {
               h = LostHistory();
               h.log.push_back({kCall, "UNAVAILABLE", "", absl::Milliseconds(59)});
             },
             "nothing was asked"},
        Case{"LostWithoutADrain",
             [](History& h) {
               h = LostHistory();
               h.log.push_back({kCall, "UNAVAILABLE", "", absl::Milliseconds(59)});
               h.drains.clear();
             },
             "nothing was asked"},
        Case{"LostTooOften",
             [](History& h) {
               h = LostHistory();
               h.calls.push_back(h.calls[0]);
               ++h.calls[1].plan.call;
             },
             "2 calls were lost in 1 drains"},
        Case{"LostBeforeTheCut",
             [](History& h) {
               h = FailedHistory(Fault::kFin, grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE", "STREAM_TRUNCATED");
               h.attempts[0].whole_events = 4;
             },
             "3 events were received of 4"},
        Case{"MoreThanWasSent",
             [](History& h) {
               h = FailedHistory(Fault::kRst, grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE", "STREAM_TRUNCATED");
               h.attempts[0].whole_events = 2;
             },
             "3 events were received of 2"},
        Case{"TooManyAttempts",
             [](History& h) {
               h.attempts.clear();
               for (int i = 1; i <= 3; ++i) h.attempts.push_back(MakeAttempt(i, Fault::kStatus, 0));
               h.attempts.push_back(MakeAttempt(4, Fault::kNone, 5));
               h.calls[0].received[0].first.attempt = 4;
             },
             "4 requests arrived; 3 may"},
        Case{"RepeatedAfterTheFirstEvent",
             [](History& h) {
               h.attempts = {MakeAttempt(1, Fault::kFin, 1), MakeAttempt(2, Fault::kNone, 5)};
               h.calls[0].received[0].first.attempt = 2;
             },
             "asked again after FIN and 1 events"},
        Case{"RepeatedAfterALastingError",
             [](History& h) {
               h.attempts = {MakeAttempt(1, Fault::kErrorEvent, 0), MakeAttempt(2, Fault::kNone, 5)};
               h.calls[0].received[0].first.attempt = 2;
             },
             "asked again after error event"},
        Case{"AuthorizedTwice",
             [](History& h) {
               h.calls[0].plan.rpc = Rpc::kAuthorize;
               h.attempts = {MakeAttempt(1, Fault::kStatus, 0), MakeAttempt(2, Fault::kNone, 5)};
               h.calls[0].received[0].first.attempt = 2;
             },
             "2 requests arrived; 1 may"},
        Case{"RunsOn", [](History& h) { h.attempts[0].ended_at = At(60) + kLeftRunning + absl::Milliseconds(1); },
             "ran on for"},
        Case{"RunsOnAfterACancel",
             [](History& h) {
               h = HeldUpHistory(kHeldUp);
               h.attempts[0].ended_at += absl::Milliseconds(1);
             },
             "ran on for"},
        Case{"LoggedLongAfterACancel",
             [](History& h) {
               h = HeldUpHistory(kHeldUp);
               h.log[0].duration += absl::Milliseconds(1);
             },
             "logged as taking"},
        Case{"HeldUpTooOften",
             [](History& h) {
               h = HeldUpHistory(kHeldUp);
               h.calls.push_back(h.calls[0]);
               h.calls[1].plan.call = kCall + 1;
               h.calls[1].received.clear();
               h.attempts.push_back(h.attempts[0]);
               h.attempts[1].call = kCall + 1;
               h.log.push_back(h.log[0]);
               h.log[1].call = kCall + 1;
             },
             "2 of 2 calls ended late"},
        Case{"RunsForEver", [](History& h) { h.attempts[0].end = Attempt::End::kRunning; }, "runs on for ever"},
        Case{"ArrivesLate",
             [](History& h) {
               h.calls[0].code = grpc::StatusCode::CANCELLED;
               h.calls[0].cancelled_at = At(55);
               h.attempts[0].arrived_at = At(60) + kLeftRunning + absl::Milliseconds(1);
             },
             "after the call's end"},
        Case{"NotLogged", [](History& h) { h.log.clear(); }, "no log line"},
        Case{"LoggedTwice", [](History& h) { h.log.push_back(h.log[0]); }, "2 log lines"},
        Case{"LoggedBeforeItBegan", [](History& h) { h.log[0].duration = absl::Seconds(-10); },
             "logged as taking -10s"},
        Case{"LoggedLongAfterItsEnd", [](History& h) { h.log[0].duration = absl::Hours(1); }, "logged as taking 1h"},
        Case{"LoggedOtherwise", [](History& h) { h.log[0].code = "CANCELLED"; }, "logged as CANCELLED"},
        Case{"AskedButNotLogged",
             [](History& h) {
               h.calls[0].code = grpc::StatusCode::CANCELLED;
               h.calls[0].cancelled_at = At(5);
               h.log.clear();
             },
             "asked, but no log line"},
        Case{"OfNobody", [](History& h) { h.calls.clear(); }, "that nobody made"},
        Case{"Incident", [](History& h) { h.incidents = {"a key that never was one"}; }, "a key"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(SoakMarkTest, TellsWhatWasWritten) {
  const Mark mark = {123, 45, 2, 6789};
  const std::string text = WriteMark(mark, 50);
  EXPECT_EQ(ReadMark(text), mark);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = damaged[i] == '1' ? '2' : '1';
    EXPECT_EQ(ReadMark(damaged), std::nullopt) << i;
    EXPECT_EQ(ReadMark(text.substr(0, i)), std::nullopt) << i;
  }
}

TEST(SoakHistoryTest, RunsHoldWhatCame) {
  CallRecord call;
  for (const uint32_t seq : {0, 1, 2, 2, 4, 3}) call.Receive(WriteMark(MarkOf(seq), 5), seq);
  call.Receive(WriteMark(MarkOf(4), 5), 9);
  ASSERT_EQ(call.received.size(), 4U);
  EXPECT_EQ(call.received[0].count, 3U);
  EXPECT_EQ(call.received_count(), 6U);
  EXPECT_EQ(call.damaged.size(), 1U);
}

TEST(SoakPlanTest, TheSameSeedMakesTheSamePlan) {
  bool differs = false;
  for (uint32_t call = 0; call < 1000; ++call) {
    const std::string plan = Describe(PlanOf(5, call));
    EXPECT_EQ(plan, Describe(PlanOf(5, call)));
    differs = differs || plan != Describe(PlanOf(6, call));
  }
  EXPECT_TRUE(differs);
}

// A script's count of complete events is what a reader finds in its bytes.
TEST(SoakScriptTest, CountsWholeEvents) {
  for (uint32_t number = 0; number < 5000; ++number) {
    const CallPlan plan = PlanOf(9, number);
    if (!IsStream(plan) || plan.fault == Fault::kFlood) continue;
    const Script script = ScriptOf(plan, {number, plan.user, 1, 0});
    std::string bytes;
    for (const Step& step : script.steps) bytes += step.bytes;
    int whole = 0;
    for (size_t at = bytes.find("\n\n"); at != std::string::npos; at = bytes.find("\n\n", at + 1)) ++whole;
    if (FaultOf(plan, 1) == Fault::kErrorEvent || FaultOf(plan, 1) == Fault::kMalformed) --whole;
    EXPECT_EQ(script.steps.empty() ? 0 : script.steps.back().whole_events, whole) << Describe(plan);
  }
}

}  // namespace
}  // namespace igpt::soak
