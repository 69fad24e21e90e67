// One case of the catalogue of faults: what the upstream does, how the call is made, and what is expected. A new fault
// is a line in a table of these:
//
//   {.row = 22, .name = "Http401", .scripts = {{Send(Whole(401, ""))}}, .code = StatusCode::FAILED_PRECONDITION,
//    .reason = "IGPT_AUTH", .facts = {{"http_status", "401"}}},
//
// Every run of a case also proves: the status is within its limits, names igptd and holds no canary; every request to
// iGPT carried the key, and nothing arrived elsewhere; the log has exactly one line for the call, with its code and
// reason, and holds no canary even at trace level; the metrics have exactly one increment for the call, by method, code
// and reason, and hold no canary.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/fault/fault_script.h"
#include "tests/fault/relay.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/certificate.h"

namespace igpt::testing {

using grpc::StatusCode;

// Which call is made. kWhole is an Ask with whole_answer, kWholeRun a Run.
enum class Call { kAsk, kWhole, kRun, kWholeRun, kSearch, kList, kDisconnect, kAuthorize };

// Whether the call is one of those.
inline bool IsRun(Call call) {
  return call == Call::kRun || call == Call::kWholeRun;
}
inline bool IsWhole(Call call) {
  return call == Call::kWhole || call == Call::kWholeRun;
}
inline bool HasStream(Call call) {
  return call <= Call::kWholeRun;
}

inline const std::vector<Call> kAllCalls = {Call::kAsk,    Call::kWhole, Call::kRun,        Call::kWholeRun,
                                            Call::kSearch, Call::kList,  Call::kDisconnect, Call::kAuthorize};
// Those that igptd may send again, those that it may not, and those with one answer.
inline const std::vector<Call> kRepeatable = {Call::kAsk,      Call::kWhole,  Call::kRun,
                                              Call::kWholeRun, Call::kSearch, Call::kList};
inline const std::vector<Call> kOnceOnly = {Call::kDisconnect, Call::kAuthorize};
inline const std::vector<Call> kOneAnswer = {Call::kWhole, Call::kWholeRun,   Call::kSearch,
                                             Call::kList,  Call::kDisconnect, Call::kAuthorize};

// "Ask" for both kinds of Ask, "Run" for both kinds of Run.
std::string MethodName(Call call);

using Facts = std::map<std::string, std::string>;

// How igptd reaches the upstream, if not by plain HTTP to its address.
struct Way {
  std::optional<Identity> identity = {};  // the server's, for TLS
  Greeting greeting = Greeting::kServe;
  std::string trusted = {};  // certificate authorities (PEM); empty: the system's
  std::string host = "127.0.0.1";
  std::string names = {};  // how look-ups behave: see fault_resolver.cc; empty: as on this machine
};

struct Fault {
  int row = 0;  // of the catalogue; 0: its section on SSE
  std::string name = {};

  Call call = Call::kAsk;
  std::optional<Way> way = {};
  std::vector<Script> scripts = {};  // for the first request, the second, …; the last one also for all further requests
  std::vector<std::string> flags = {};
  std::string callers = {};                            // the callers file; empty: none
  std::string bearer = {};                             // the caller's token
  absl::Duration deadline = absl::InfiniteDuration();  // the caller's
  bool include_raw = false;
  bool json = false;  // ask for JSON

  StatusCode code = StatusCode::OK;
  std::string reason = {};                   // in ErrorInfo and log; empty for OK
  Facts facts = {};                          // ErrorInfo's exact metadata, except `attempts` and `http_status` 200
  std::vector<std::string> bad_fields = {};  // of BadRequest
  std::optional<absl::Duration> retry_delay = {};    // of RetryInfo
  std::string message = {};                          // what the status message must contain
  size_t events = 0;                                 // delivered before the end
  size_t requests = 1;                               // seen upstream
  size_t attempts = 0;                               // what an error reports; 0: the same as `requests`
  std::optional<bool> aborted = {};                  // whether igptd closed the last request's connection itself
  absl::Duration within = absl::InfiniteDuration();  // rows about time: the most that the call may take
  absl::Duration at_least = absl::ZeroDuration();    // and the least
};

// The same faults in each of these calls. The call's name is added to the case's.
std::vector<Fault> InCalls(const std::vector<Call>& calls, const std::vector<Fault>& faults);

// "Row22_Http401"
std::string NameOf(const Fault& fault);
std::string NameOfParam(const ::testing::TestParamInfo<Fault>& info);
void PrintTo(const Fault& fault, std::ostream* out);

// How a call ended. An answer that isn't a stream counts as no event.
struct Outcome {
  std::vector<igpt::v1::RunEvent> events;
  std::string answer;  // of a unary call: the message's text form
  grpc::Status status;
  Metadata initial;
  absl::Duration took;
};

// Makes the case's call with canaries in every field. Sets `read`, if not null, once fault.events events were read.
Outcome MakeCall(Igptd& igptd, const Fault& fault, Event* read = nullptr);

// Makes an Ask or a Run. `set` is given the request to fill in, `take` each event.
template <typename Set, typename Take>
grpc::Status MakeStreamCall(Igptd& igptd, Call call, grpc::ClientContext& context, const Set& set, const Take& take) {
  using Stub = igpt::v1::RecallService::Stub;
  const auto make = [&]<typename Request, typename Response>(std::unique_ptr<grpc::ClientReader<Response>> (
                        Stub::*start)(grpc::ClientContext*, const Request&)) {
    Request request;
    request.set_whole_answer(IsWhole(call));
    set(request);
    const auto reader = (*igptd.recall.*start)(&context, request);
    for (Response response; reader->Read(&response);) {
      if (response.has_event()) take(response.event());
    }
    return reader->Finish();
  };
  return IsRun(call) ? make(&Stub::Run) : make(&Stub::Ask);
}

// Starts an igptd and an upstream for the case, makes the call, and checks everything that the case expects.
Outcome RunFault(const Fault& fault);

// The environment of an igptd whose look-ups follow this file: see fault_resolver.cc.
std::vector<std::string> ResolverEnvironment(const std::string& file);

// The parts of RunFault, for tests that make their calls in another way.
//
// Checks the end of a call: code, reason, details, sizes, no canary.
void ExpectEnd(const Fault& fault, const grpc::Status& status);
// After igptd.Stop(): checks that there is one line per code and reason in `expected` ("INTERNAL/IGPT_PROTOCOL",
// "OK/"), in any order, and no `token` anywhere in igptd's output.
void ExpectLog(const Igptd& igptd, const std::vector<std::string>& expected, const std::string& token);
// Before igptd.Stop(): checks that the metrics have exactly one increment per method, code and reason in `expected`
// ("Search INTERNAL/IGPT_PROTOCOL", "Ask OK/"), and no series that was not there, as 0, from the start.
void ExpectCounted(const Igptd& igptd, const std::vector<std::string>& expected);
// Makes this many List calls from a few threads at once. Calls `ended` after each, on its thread.
void ListFromThreads(Igptd& igptd, int calls, const std::function<void(const grpc::Status&)>& ended);
// The name of a code, as in logs and documents.
std::string CodeName(StatusCode code);
// Code and reason, as in ExpectLog.
std::string LogName(StatusCode code, const std::string& reason);
// Checks that every request had exactly this key.
void ExpectKeyEverywhere(const ScriptedHttpServer& upstream, const std::string& key);

}  // namespace igpt::testing
