// One case of the catalogue of faults: what the upstream does, how the call is made, and all that must be seen. A new
// fault is a line in a table of these:
//
//   {.row = 22, .name = "Http401", .scripts = {{Send(Whole(401, ""))}}, .code = StatusCode::FAILED_PRECONDITION,
//    .reason = "IGPT_AUTH", .facts = {{"http_status", "401"}}},
//
// Whatever a case says, its run also proves: the status is within its limits, names igptd and holds no canary; every
// request to iGPT carried the key, and nothing arrived elsewhere; the log has exactly one line for the call, with its
// code and reason, and at trace level holds no canary; and the metrics have exactly one increment for it, by its
// method, code and reason, and no canary.
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

// Which call is made. kWhole is an Ask for the whole answer.
enum class Call { kAsk, kWhole, kSearch, kList, kDisconnect, kAuthorize };

// "Ask", whichever Ask it is.
std::string MethodName(Call call);

using Facts = std::map<std::string, std::string>;

// How igptd reaches the upstream, when that isn't plain HTTP to its address.
struct Way {
  std::optional<Identity> identity = {};  // of the server: TLS
  Greeting greeting = Greeting::kServe;
  std::string trusted = {};  // certificate authorities (PEM); empty: the system's
  std::string host = "127.0.0.1";
  std::string names = {};  // what look-ups do: see fault_resolver.cc; empty: what they do on this machine
};

struct Fault {
  int row = 0;  // of the catalogue; 0: what it says of SSE
  std::string name = {};

  Call call = Call::kAsk;
  std::optional<Way> way = {};
  std::vector<Script> scripts = {};  // for the first request, the second, …; the last is for all further ones too
  std::vector<std::string> flags = {};
  std::string callers = {};                            // the callers file; empty: none
  std::string bearer = {};                             // the caller's token
  absl::Duration deadline = absl::InfiniteDuration();  // the caller's
  bool include_raw = false;
  bool json = false;  // JSON is asked for

  StatusCode code = StatusCode::OK;
  std::string reason = {};                           // of ErrorInfo and log; empty with OK
  Facts facts = {};                                  // ErrorInfo's metadata, exactly, but for `attempts`
  std::vector<std::string> bad_fields = {};          // of BadRequest
  std::optional<absl::Duration> retry_delay = {};    // of RetryInfo
  std::string message = {};                          // what the status message must say, among others
  size_t events = 0;                                 // delivered before the end
  size_t requests = 1;                               // seen upstream
  size_t attempts = 0;                               // what an error says of that; 0: the same as `requests`
  std::optional<bool> aborted = {};                  // whether igptd closed the last request's connection itself
  absl::Duration within = absl::InfiniteDuration();  // rows about time: ends after at most so long
  absl::Duration at_least = absl::ZeroDuration();    // and not before so long
};

// The same fault in other calls: the call's name is added to the case's.
std::vector<Fault> InCalls(const std::vector<Call>& calls, const std::vector<Fault>& faults);

// "Row22_Http401"
std::string NameOf(const Fault& fault);
std::string NameOfParam(const ::testing::TestParamInfo<Fault>& info);
void PrintTo(const Fault& fault, std::ostream* out);

// How a call ended, whichever it was. An answer that isn't a stream counts as no event.
struct Outcome {
  std::vector<igpt::v1::AskResponse> events;
  std::string answer;  // of an answer that is no stream: the message's text form
  grpc::Status status;
  Metadata initial;
  absl::Duration took;
};

// Makes the case's call with canaries in every field. `read`, if any, is set once fault.events events were read.
Outcome MakeCall(Igptd& igptd, const Fault& fault, Event* read = nullptr);

// Starts an igptd and an upstream for the case, makes the call, and holds what is seen against the case.
Outcome RunFault(const Fault& fault);

// The environment of an igptd whose look-ups follow that file: see fault_resolver.cc.
std::vector<std::string> ResolverEnvironment(const std::string& file);

// The parts of that, for tests that make their calls otherwise.
//
// The end of one call: code, reason, details, sizes, no canary.
void ExpectEnd(const Fault& fault, const grpc::Status& status);
// After igptd.Stop(): one line per code and reason in `expected` ("INTERNAL/IGPT_PROTOCOL", "OK/"), in any order, and
// nothing of `token` anywhere in what igptd wrote.
void ExpectLog(const Igptd& igptd, const std::vector<std::string>& expected, const std::string& token);
// Before igptd.Stop(): the metrics have exactly one increment per method, code and reason in `expected`
// ("Search INTERNAL/IGPT_PROTOCOL", "Ask OK/").
void ExpectCounted(const Igptd& igptd, const std::vector<std::string>& expected);
// Lists so many times, from a few threads at once; `ended` is told of each end, on its thread.
void ListFromThreads(Igptd& igptd, int calls, const std::function<void(const grpc::Status&)>& ended);
// The name of a code, as logs and documents have it.
std::string CodeName(StatusCode code);
// How the log names that end.
std::string LogName(StatusCode code, const std::string& reason);
// Every request had exactly this key.
void ExpectKeyEverywhere(const ScriptedHttpServer& upstream, const std::string& key);

}  // namespace igpt::testing
