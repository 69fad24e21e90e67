// Time: deadlines, iGPT's silence, and answers that come a byte at a time.
#include <string>
#include <vector>

#include "tests/fault/fault_case.h"

namespace igpt::testing {
namespace {

class TimerFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(TimerFaultTest, EndsAsTheCatalogueSays) {
  RunFault(GetParam());
}

#define TABLE(name, ...) INSTANTIATE_TEST_SUITE_P(name, TimerFaultTest, ::testing::ValuesIn(__VA_ARGS__), NameOfParam)

// With a margin for busy machines: a limit holds if the call ends within ten times its length plus some seconds.
constexpr absl::Duration kLimit = absl::Milliseconds(300);
constexpr absl::Duration kSoon = absl::Seconds(10);

const std::string kAnswer = R"({"output":"canary-answer-################"})";
const std::string kStreamStart = SseHead() + SseChunk(kRunStart) + SseChunk(DeltaEvent(1, kAnswerCanary));

// Row 12. The client's own gRPC ends the call at its deadline, so the status may have no details.
struct Late {
  const char* name;
  Call call;
  Script script;
  size_t events;
};
void PrintTo(const Late& late, std::ostream* out) {
  *out << late.name;
}
class DeadlineTest : public ::testing::TestWithParam<Late> {};

TEST_P(DeadlineTest, EndsTheCallAndTheRequest) {
  const Late& late = GetParam();
  const std::string token = TokenOf(late.name);
  Igptd igptd({"--log_level=trace"}, {"IGPT_API_KEY=" + Fill(kKeyCanary, token)});
  igptd.upstream.OnRequest([&](Exchange& exchange) { Play(late.script, {.token = token, .elsewhere = ""}, exchange); });
  const Outcome outcome =
      MakeCall(igptd, {.name = late.name, .call = late.call, .deadline = kLimit, .events = late.events});
  EXPECT_EQ(outcome.status.error_code(), StatusCode::DEADLINE_EXCEEDED) << outcome.status.error_message();
  EXPECT_EQ(outcome.events.size(), late.events);
  EXPECT_LE(outcome.took, kSoon);
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  EXPECT_EQ(igptd.upstream.requests().size(), 1U);
  ExpectCounted(igptd, {MethodName(late.call) + " DEADLINE_EXCEEDED/DEADLINE"});
  igptd.Stop();
  ExpectLog(igptd, {"DEADLINE_EXCEEDED/DEADLINE"}, token);
}

INSTANTIATE_TEST_SUITE_P(
    Deadlines, DeadlineTest,
    ::testing::Values(Late{"Row12_Ask_BeforeTheHead", Call::kAsk, {StallForGood()}, 0},
                      Late{"Row12_AskWhole_BeforeTheHead", Call::kWhole, {StallForGood()}, 0},
                      Late{"Row12_Search_BeforeTheHead", Call::kSearch, {StallForGood()}, 0},
                      Late{"Row12_List_BeforeTheHead", Call::kList, {StallForGood()}, 0},
                      Late{"Row12_Disconnect_BeforeTheHead", Call::kDisconnect, {StallForGood()}, 0},
                      Late{"Row12_Authorize_BeforeTheHead", Call::kAuthorize, {StallForGood()}, 0},
                      Late{"Row12_Ask_MidStream", Call::kAsk, {Send(kStreamStart), StallForGood()}, 2},
                      Late{"Row12_Search_WithinTheBody",
                           Call::kSearch,
                           {Send(Head(200, {{"Content-Length", "99"}}) + "["), StallForGood()},
                           0}),
    [](const auto& late) { return std::string(late.param.name); });

Fault TimedOut(int row, const std::string& name, const std::string& flag, const std::string& timer,
               const Script& script) {
  return {.row = row,
          .name = name,
          .scripts = {script},
          .flags = {flag + "=300ms"},
          .code = StatusCode::UNAVAILABLE,
          .reason = "IGPT_TIMEOUT",
          .facts = {{"timer", timer}},
          .aborted = true,
          .within = kSoon,
          .at_least = kLimit - absl::Milliseconds(10)};
}
Fault MidStream(Fault fault) {
  fault.name += "_MidStream";
  fault.scripts[0].insert(fault.scripts[0].begin(), Send(kStreamStart));
  fault.code = StatusCode::DEADLINE_EXCEEDED;
  fault.facts["events_delivered"] = "2";
  fault.events = 2;
  return fault;
}
Fault WithDeadline(Fault fault, absl::Duration deadline) {
  fault.name += "_EnormousDeadline";
  fault.deadline = deadline;
  return fault;
}

// Row 13. These calls have a deadline of at least a minute, so igptd's limit comes first.
TABLE(Total, InCalls(kAllCalls, {TimedOut(13, "Total", "--max_call_duration", "total", {StallForGood()})}));
TABLE(TotalOfAStream,
      std::vector<Fault>({
          MidStream(TimedOut(13, "Total", "--max_call_duration", "total", {StallForGood()})),
          WithDeadline(TimedOut(13, "Total", "--max_call_duration", "total", {StallForGood()}), absl::Hours(24 * 365)),
          WithDeadline(TimedOut(13, "TotalInfinite", "--max_call_duration", "total", {StallForGood()}),
                       absl::Hours(24) * 100'000),
      }));

// Row 14: the call ends long before its deadline.
Fault NoSleep(const std::string& name, int status, const std::string& reason, StatusCode code) {
  return {.row = 14,
          .name = name,
          .scripts = {{Send(Whole(status, kAnswer, {{"Retry-After", "40"}}))}},
          .deadline = absl::Seconds(30),
          .code = code,
          .reason = reason,
          .facts = {{"http_status", std::to_string(status)}},
          .retry_delay = absl::Seconds(40),
          .within = kSoon};
}
Fault PastTheTotal() {
  Fault fault = NoSleep("PastMaxCallDuration", 503, "IGPT_UNAVAILABLE", StatusCode::UNAVAILABLE);
  fault.deadline = absl::InfiniteDuration();
  fault.flags = {"--max_call_duration=30s"};
  return fault;
}
Fault BackoffPastTheDeadline() {
  return {.row = 14,
          .name = "BackoffAlone",
          .scripts = {{Send(Whole(503, kAnswer))}},
          .flags = {"--backoff_base=24h", "--max_call_duration=20s"},
          .code = StatusCode::UNAVAILABLE,
          .reason = "IGPT_UNAVAILABLE",
          .facts = {{"http_status", "503"}},
          .within = kSoon};
}
TABLE(NoSleep,
      InCalls(kRepeatable, {
                               NoSleep("PastTheDeadline429", 429, "IGPT_RATE_LIMITED", StatusCode::RESOURCE_EXHAUSTED),
                               NoSleep("PastTheDeadline503", 503, "IGPT_UNAVAILABLE", StatusCode::UNAVAILABLE),
                           }));
TABLE(NoSleepWithoutADeadline, std::vector<Fault>({PastTheTotal(), BackoffPastTheDeadline()}));

// Rows 19 and 20.
const Script kHalfAnAnswer = {Send(Head(200, {{"Content-Type", "application/json"}, {"Content-Length", "99"}}) + "{"),
                              StallForGood()};
TABLE(Idle, InCalls(kOneAnswer, {TimedOut(19, "IdleWithinTheBody", "--idle_timeout", "idle", kHalfAnAnswer)}));
TABLE(IdleStreams, std::vector<Fault>({
                       MidStream(TimedOut(19, "Idle", "--idle_timeout", "idle", {StallForGood()})),
                       MidStream(TimedOut(19, "IdleWithinAnEvent", "--idle_timeout", "idle",
                                          {Send("20\r\ndata: {\"delta\":"), StallForGood()})),
                       TimedOut(19, "IdleAfterTheHead", "--idle_timeout", "idle", {Send(SseHead()), StallForGood()}),
                   }));
TABLE(FirstByte,
      InCalls(kAllCalls, {TimedOut(20, "FirstByte", "--first_byte_timeout", "first_byte", {StallForGood()})}));

TEST(TimerFaultTest, Row20_AcceptedAndNeverRead) {
  const ScriptedHttpServer upstream(ScriptedHttpServer::Mode::kNeverRead);
  Fault fault = TimedOut(20, "NeverRead", "--first_byte_timeout", "first_byte", {});
  fault.flags.push_back("--igpt_base_url=" + upstream.url("/v1"));
  fault.requests = 0;
  fault.attempts = 1;
  RunFault(fault);
  EXPECT_TRUE(upstream.AwaitClosed(1));
}

// Row 21. Each byte comes well within --idle_timeout.
constexpr absl::Duration kTrickle = absl::Milliseconds(20);
TABLE(Trickles,
      std::vector<Fault>({
          TimedOut(21, "HeadAByteAtATime", "--first_byte_timeout", "first_byte",
                   {Bytewise(Whole(200, kAnswer, {{"X-Padding", std::string(1'000, 'a')}}), kTrickle)}),
          TimedOut(21, "BodyAByteAtATime", "--max_call_duration", "total",
                   {Send(SseHead() + "1000\r\n"), Bytewise(std::string(1'000, ':'), kTrickle)}),
          TimedOut(21, "InterimAnswersForGood", "--first_byte_timeout", "first_byte",
                   {Bytewise(std::string(100, ' ').replace(0, 24, "HTTP/1.1 102 \r\n\r\nHTTP/1.1"), kTrickle)}),
          {.row = 21,
           .name = "AWholeAnswerAByteAtATime",
           .scripts = {{Bytewise(SseWhole({kRunStart, kRunDone}))}},
           .flags = {"--idle_timeout=5s", "--first_byte_timeout=5s"},
           .events = 2},
          {.row = 21,
           .name = "SlowButSteady",
           .scripts = {{Send(SseHead()), Pause(absl::Milliseconds(200)), Send(SseChunk(kRunStart)),
                        Pause(absl::Milliseconds(200)), Send(SseChunk(kRunDone) + std::string(kLastChunk))}},
           .flags = {"--idle_timeout=20s", "--first_byte_timeout=20s"},
           .events = 2},
          {.row = 21,
           .name = "InterimAnswersBeforeTheAnswer",
           .scripts = {{Send("HTTP/1.1 100 \r\n\r\nHTTP/1.1 103 \r\nLink: </canary-answer-################>\r\n\r\n"),
                        Send(Whole(200, kAnswer))}},
           .events = 1},
      }));

}  // namespace
}  // namespace igpt::testing
