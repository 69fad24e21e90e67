// What iGPT can send instead of an answer: error bodies, HTTP statuses, redirects, wrong types, nothing, 1xx, bad
// lengths.
#include <string>
#include <vector>

#include "tests/fault/fault_case.h"

namespace igpt::testing {
namespace {

// A body that repeats everything confidential.
const std::string kEcho =
    std::string(kKeyCanary) + " " + kUserCanary + " " + kPromptCanary + " " + kAnswerCanary + "\r\n";

// An error body from iGPT that holds more than the error.
std::string ErrorBody(const std::string& error) {
  return R"({"echo":")" + std::string(kPromptCanary) + R"(","error":)" + error + R"(,"key":")" + kKeyCanary + R"("})";
}

std::vector<Script> Answers(int status, const std::string& body, const HttpHeaders& headers = kJsonHeaders) {
  return {{Send(Whole(status, body, headers))}};
}

class AnswerFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(AnswerFaultTest, EndsAsTheCatalogueSays) {
  RunFault(GetParam());
}

#define TABLE(name, ...) INSTANTIATE_TEST_SUITE_P(name, AnswerFaultTest, ::testing::ValuesIn(__VA_ARGS__), NameOfParam)

// Rows 22 to 24: errors that iGPT reports with HTTP 200, and the HTTP statuses with the same meaning.

TABLE(Refusals, InCalls(kAllCalls, {
                                       {.row = 22,
                                        .name = "ErrorAuth",
                                        .scripts = Answers(200, ErrorBody("\"auth\"")),
                                        .code = StatusCode::FAILED_PRECONDITION,
                                        .reason = "IGPT_AUTH",
                                        .aborted = false},
                                       {.row = 22,
                                        .name = "Http401",
                                        .scripts = Answers(401, kEcho),
                                        .code = StatusCode::FAILED_PRECONDITION,
                                        .reason = "IGPT_AUTH",
                                        .facts = {{"http_status", "401"}},
                                        .aborted = false},
                                       {.row = 22,
                                        .name = "Http403",
                                        .scripts = Answers(403, kEcho),
                                        .code = StatusCode::FAILED_PRECONDITION,
                                        .reason = "IGPT_AUTH",
                                        .facts = {{"http_status", "403"}}},
                                       {.row = 23,
                                        .name = "ErrorParams",
                                        .scripts = Answers(200, ErrorBody("\"params\"")),
                                        .code = StatusCode::INVALID_ARGUMENT,
                                        .reason = "IGPT_PARAMS"},
                                       {.row = 23,
                                        .name = "Http400",
                                        .scripts = Answers(400, ErrorBody("\"auth\"")),
                                        .code = StatusCode::INVALID_ARGUMENT,
                                        .reason = "IGPT_PARAMS",
                                        .facts = {{"http_status", "400"}}},
                                       {.row = 23,
                                        .name = "Http422",
                                        .scripts = Answers(422, kEcho),
                                        .code = StatusCode::INVALID_ARGUMENT,
                                        .reason = "IGPT_PARAMS",
                                        .facts = {{"http_status", "422"}}},
                                       {.row = 24,
                                        .name = "ErrorOfAnotherName",
                                        .scripts = Answers(200, ErrorBody("\"quota_exceeded\"")),
                                        .code = StatusCode::UNKNOWN,
                                        .reason = "IGPT_ERROR",
                                        .facts = {{"igpt_error", "quota_exceeded"}}},
                                   }));

TABLE(StrangeErrors, std::vector<Fault>({
                         {.row = 24,
                          .name = "ErrorThatIsASentence",
                          .scripts = Answers(200, ErrorBody(R"("no answer to canary-prompt-################")")),
                          .code = StatusCode::UNKNOWN,
                          .reason = "IGPT_ERROR",
                          .facts = {{"igpt_error", "unrecognized"}}},
                         {.row = 24,
                          .name = "ErrorWithLineEnds",
                          .scripts = Answers(200, ErrorBody(R"("a\r\nx-leak: canary-key-################")")),
                          .code = StatusCode::UNKNOWN,
                          .reason = "IGPT_ERROR",
                          .facts = {{"igpt_error", "unrecognized"}}},
                         {.row = 24,
                          .name = "ErrorThatIsAnObject",
                          .scripts = Answers(200, ErrorBody(R"({"message":"canary-prompt-################"})")),
                          .code = StatusCode::UNKNOWN,
                          .reason = "IGPT_ERROR",
                          .facts = {{"igpt_error", "unrecognized"}}},
                         {.row = 24,
                          .name = "ErrorOfTenThousandLetters",
                          .scripts = Answers(200, ErrorBody("\"" + std::string(10'000, 'e') + "\"")),
                          .code = StatusCode::UNKNOWN,
                          .reason = "IGPT_ERROR",
                          .facts = {{"igpt_error", "unrecognized"}}},
                     }));

// Row 26, and the 5xx that a retry doesn't fix.

Fault Unavailable(int status, size_t requests) {
  return {.row = 26,
          .name = "Http" + std::to_string(status),
          .scripts = Answers(status, kEcho),
          .code = StatusCode::UNAVAILABLE,
          .reason = "IGPT_UNAVAILABLE",
          .facts = {{"http_status", std::to_string(status)}},
          .requests = requests};
}

TABLE(ServerErrors, InCalls(kRepeatable, {Unavailable(500, 3), Unavailable(502, 3), Unavailable(503, 3),
                                          Unavailable(504, 3), Unavailable(501, 1), Unavailable(599, 1)}));
TABLE(ServerErrorsOnceOnly, InCalls(kOnceOnly, {Unavailable(500, 1), Unavailable(503, 1)}));

const std::string kAnswer = R"({"output":"canary-answer-################"})";

TABLE(Recoveries, std::vector<Fault>({
                      {.row = 26,
                       .name = "SecondTrySucceeds",
                       .scripts = {{Send(Whole(503, kEcho))}, {Send(Whole(200, kAnswer))}},
                       .events = 1,
                       .requests = 2},
                      {.row = 26,
                       .name = "ThirdTrySucceeds",
                       .scripts = {{Send(Whole(500, kEcho))}, {Rst()}, {Send(Whole(200, kAnswer))}},
                       .events = 1,
                       .requests = 3},
                      {.row = 26,
                       .name = "RetryAfterIsToldWhenAllTriesFail",
                       .scripts = Answers(503, kEcho, {{"Retry-After", "20"}}),
                       .deadline = absl::Seconds(15),
                       .code = StatusCode::UNAVAILABLE,
                       .reason = "IGPT_UNAVAILABLE",
                       .facts = {{"http_status", "503"}},
                       .retry_delay = absl::Seconds(20)},
                      {.row = 26,
                       .name = "AnEndlessErrorPageIsNotReadToItsEnd",
                       .scripts = {{Send(Head(500, {{"Content-Type", "text/html"}})), Forever(kEcho)}},
                       .code = StatusCode::UNAVAILABLE,
                       .reason = "IGPT_UNAVAILABLE",
                       .facts = {{"http_status", "500"}},
                       .requests = 3,
                       .aborted = true},
                  }));

// Row 25. If a hostile value gives no delay, the ordinary backoff applies.

Fault RateLimited(const std::string& name, const std::string& retry_after, absl::Duration told, size_t requests) {
  HttpHeaders headers;
  if (!retry_after.empty()) headers.emplace_back("Retry-After", retry_after);
  return {.row = 25,
          .name = name,
          .scripts = Answers(429, kEcho, headers),
          .deadline = absl::Seconds(20),
          .code = StatusCode::RESOURCE_EXHAUSTED,
          .reason = "IGPT_RATE_LIMITED",
          .facts = {{"http_status", "429"}},
          .retry_delay = told,
          .requests = requests,
          .aborted = false,
          .within = absl::Seconds(15)};
}

TABLE(RateLimits, std::vector<Fault>({
                      RateLimited("Absent", "", absl::Seconds(1), 3),
                      RateLimited("Zero", "0", absl::ZeroDuration(), 3),
                      RateLimited("BeyondTheDeadline", "30", absl::Seconds(30), 1),
                      RateLimited("ABillionSeconds", "1000000000", absl::Hours(1), 1),
                      RateLimited("MoreThanFitsInAnInteger", "99999999999999999999999", absl::Hours(1), 1),
                      RateLimited("Negative", "-5", absl::Seconds(1), 3),
                      RateLimited("Fraction", "1.5", absl::Seconds(1), 3),
                      RateLimited("Text", kEcho.substr(0, kEcho.size() - 2), absl::Seconds(1), 3),
                      RateLimited("AFarDate", "Fri, 31 Dec 2100 23:59:59 GMT", absl::Hours(1), 1),
                      RateLimited("APastDate", "Sun, 06 Nov 1994 08:49:37 GMT", absl::ZeroDuration(), 3),
                      RateLimited("NoDateOfTheCalendar", "Fri, 31 Feb 2100 23:59:59 GMT", absl::Seconds(1), 3),
                      RateLimited("Megabyte", std::string(60'000, '9'), absl::Hours(1), 1),
                  }));
TABLE(RateLimitsOnceOnly, InCalls(kOnceOnly, {RateLimited("Once", "0", absl::ZeroDuration(), 1)}));
TABLE(RateLimitObeyed,
      std::vector<Fault>({{.row = 25,
                           .name = "OneSecondIsWaited",
                           .scripts = {{Send(Whole(429, kEcho, {{"Retry-After", "1"}}))}, {Send(Whole(200, kAnswer))}},
                           .events = 1,
                           .requests = 2,
                           .at_least = absl::Milliseconds(990)}}));

// Rows 27 to 29, and other answers that are not iGPT's.

Fault NoAnswer(int row, const std::string& name, int status, const std::string& body,
               const HttpHeaders& headers = kJsonHeaders) {
  // The error reports the HTTP status, because the head alone decides it.
  return {.row = row,
          .name = name,
          .scripts = Answers(status, body, headers),
          .code = StatusCode::INTERNAL,
          .reason = "IGPT_PROTOCOL",
          .facts = {{"http_status", std::to_string(status)}}};
}
Fault EmptyAnswer(const std::string& name, const std::string& body, const HttpHeaders& headers = kJsonHeaders) {
  Fault fault = NoAnswer(27, name, 200, body, headers);
  fault.facts.clear();
  return fault;
}

TABLE(Nothing, InCalls(kAllCalls, {NoAnswer(27, "Http204", 204, ""), EmptyAnswer("Empty200", "")}));
TABLE(AlmostNothing,
      InCalls(kRepeatable, {EmptyAnswer("EmptyWithoutAType", "", {}), EmptyAnswer("OnlySpaces", "  \r\n "),
                            NoAnswer(27, "Http206", 206, kAnswer), NoAnswer(27, "Http404", 404, kEcho)}));
TABLE(EmptyStreams, std::vector<Fault>({
                        EmptyAnswer("StreamWithoutEvents", "", {{"Content-Type", "text/event-stream"}}),
                        EmptyAnswer("StreamOfComments", ": canary-answer-################\n\n",
                                    {{"Content-Type", "text/event-stream"}}),
                        EmptyAnswer("StreamOfADoneMarker", "data: [DONE]\n\n", {{"Content-Type", "text/event-stream"}}),
                    }));

const HttpHeaders kElsewhere = {{"Location", "$ELSEWHERE/v1/recall/ask/"}};

TABLE(Redirects, InCalls(kAllCalls, {NoAnswer(28, "Http301", 301, kEcho, kElsewhere),
                                     NoAnswer(28, "Http307", 307, kEcho, kElsewhere)}));
TABLE(MoreRedirects, std::vector<Fault>({
                         NoAnswer(28, "Http302", 302, kEcho, kElsewhere),
                         NoAnswer(28, "Http303", 303, kEcho, kElsewhere),
                         NoAnswer(28, "Http308", 308, kEcho, kElsewhere),
                         NoAnswer(28, "Http300", 300, kEcho, kElsewhere),
                         NoAnswer(28, "Http304", 304, "", kElsewhere),
                         NoAnswer(28, "Http302WithoutLocation", 302, kEcho, {}),
                         NoAnswer(28, "Http302ToItself", 302, kEcho, {{"Location", "/v1/recall/ask/"}}),
                         NoAnswer(28, "Http407", 407, kEcho, {{"Proxy-Authenticate", "Basic realm=\"x\""}}),
                     }));

const std::string kLoginPage = "<!doctype html><title>Sign in</title>" + kEcho;

TABLE(ContentTypes,
      InCalls(kAllCalls, {NoAnswer(29, "Html", 200, kLoginPage, {{"Content-Type", "text/html; charset=utf-8"}})}));
TABLE(MoreContentTypes, std::vector<Fault>({
                            NoAnswer(29, "PlainText", 200, kEcho, {{"Content-Type", "text/plain"}}),
                            NoAnswer(29, "Octets", 200, kEcho, {{"Content-Type", "application/octet-stream"}}),
                            NoAnswer(29, "TypeThatSaysTooMuch", 200, kEcho, {{"Content-Type", kEcho.substr(0, 90)}}),
                            NoAnswer(29, "Gzip", 200, std::string("\x1f\x8b\x08") + kEcho,
                                     {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}}),
                            NoAnswer(29, "GzipStream", 200, std::string("\x1f\x8b\x08") + kEcho,
                                     {{"Content-Type", "text/event-stream"}, {"Content-Encoding", "gzip"}}),
                        }));
TABLE(NotJson, InCalls(kAllCalls,
                       {
                           {.row = 29,
                            .name = "HtmlThatSaysItIsJson",
                            .scripts = Answers(200, kLoginPage),
                            .code = StatusCode::INTERNAL,
                            .reason = "IGPT_PROTOCOL"},
                           {.row = 29,
                            .name = "HtmlWithoutAType",
                            .scripts = Answers(200, kLoginPage, {}),
                            .code = StatusCode::INTERNAL,
                            .reason = "IGPT_PROTOCOL"},
                           {.row = 29,
                            .name = "JsonWithMoreBehindIt",
                            .scripts = Answers(200, R"({"output":"","url":"u","datasources":[],"results":[]})" + kEcho),
                            .code = StatusCode::INTERNAL,
                            .reason = "IGPT_PROTOCOL"},
                       }));

TEST(AnswerFaultTest, Row29_AStreamWhereNoneWasAskedFor) {
  for (const Call call : {Call::kSearch, Call::kList, Call::kDisconnect, Call::kAuthorize}) {
    RunFault({.row = 29,
              .name = "AStream",
              .call = call,
              .scripts = {{Send(SseWhole({kAnswer}))}},
              .code = StatusCode::INTERNAL,
              .reason = "IGPT_PROTOCOL",
              .facts = {{"http_status", "200"}}});
  }
}

}  // namespace
}  // namespace igpt::testing
