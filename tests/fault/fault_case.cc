#include "tests/fault/fault_case.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "service/contract/error_table.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;

std::string CallName(Call call) {
  switch (call) {
    case Call::kAsk:
      return "Ask";
    case Call::kWhole:
      return "AskWhole";
    case Call::kRun:
      return "Run";
    case Call::kWholeRun:
      return "RunWhole";
    case Call::kSearch:
      return "Search";
    case Call::kList:
      return "List";
    case Call::kDisconnect:
      return "Disconnect";
    case Call::kAuthorize:
      return "Authorize";
  }
  return "";
}

// "RESOURCE_EXHAUSTED" for "ResourceExhausted", its name in metrics.
std::string NameOfMetricCode(const std::string& name) {
  if (name == "OK") return name;
  if (name == "Canceled") return "CANCELLED";
  std::string upper;
  for (const char c : name) {
    if (absl::ascii_isupper(c) && !upper.empty()) upper.push_back('_');
    upper.push_back(absl::ascii_toupper(c));
  }
  return upper;
}

Prepare PrepareFor(const Fault& fault) {
  return [deadline = fault.deadline, bearer = fault.bearer](grpc::ClientContext& context) {
    if (!bearer.empty()) context.AddMetadata("authorization", "Bearer " + bearer);
    if (deadline != absl::InfiniteDuration()) context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  };
}

template <typename Answer>
void Take(const Answer& answer, Outcome& outcome) {
  outcome.answer = answer.response.ShortDebugString();
  outcome.status = answer.status;
  outcome.initial = answer.initial;
}

void Ask(Igptd& igptd, const Fault& fault, const std::string& token, Event* read, Outcome& outcome) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + 2 * kWaitLimit));
  PrepareFor(fault)(context);
  if (read != nullptr && fault.events == 0) read->Set();
  outcome.status = MakeStreamCall(
      igptd, fault.call, context,
      [&](auto& request) {
        request.set_user(Fill(kUserCanary, token));
        request.set_input(Fill(kPromptCanary, token));
        if constexpr (requires { request.instructions(); }) request.set_instructions(Fill(kPromptCanary, token));
        request.set_include_raw(fault.include_raw);
        if (fault.json) request.mutable_output_format()->mutable_json();
      },
      [&](const v1::RunEvent& event) {
        outcome.events.push_back(event);
        if (read != nullptr && outcome.events.size() == fault.events) read->Set();
      });
  for (const auto& [key, value] : context.GetServerInitialMetadata()) {
    outcome.initial.emplace(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  }
}

// Checks that the error is in igptd's table, and has only facts that its row allows.
void ExpectKnownFacts(const Fault& fault, const Facts& facts) {
  if (fault.code == StatusCode::OK) return;
  v1::ErrorReason reason;
  ASSERT_TRUE(v1::ErrorReason_Parse("ERROR_REASON_" + fault.reason, &reason)) << fault.reason;
  const auto* row =
      std::find_if(std::begin(igptd::kErrorTable), std::end(igptd::kErrorTable),
                   [&](const igptd::ErrorRow& each) { return each.reason == reason && each.code == fault.code; });
  ASSERT_NE(row, std::end(igptd::kErrorTable)) << LogName(fault.code, fault.reason);
  const std::vector<std::string> known = absl::StrSplit(std::string(row->metadata), ", ");
  for (const auto& [name, value] : facts) EXPECT_THAT(known, ::testing::Contains(name));
}

// Takes away what a status reports in addition to the facts of the case: `attempts`, and, unless the case names it, the
// `http_status` of an answer that began well.
void ExpectCommonFacts(const Fault& fault, Facts& facts) {
  const auto http_status = facts.find("http_status");
  if (http_status != facts.end() && http_status->second == "200" && !fault.facts.contains("http_status")) {
    facts.erase(http_status);
  }
  const auto attempts = facts.find("attempts");
  if (attempts == facts.end()) return;
  EXPECT_EQ(attempts->second, std::to_string(fault.attempts == 0 ? fault.requests : fault.attempts));
  facts.erase(attempts);
}

}  // namespace

std::string MethodName(Call call) {
  if (HasStream(call)) return IsRun(call) ? "Run" : "Ask";
  return CallName(call);
}

std::vector<Fault> InCalls(const std::vector<Call>& calls, const std::vector<Fault>& faults) {
  std::vector<Fault> all;
  for (const Fault& fault : faults) {
    for (const Call call : calls) {
      all.push_back(fault);
      all.back().call = call;
      all.back().name += "_" + CallName(call);
    }
  }
  return all;
}

std::string NameOf(const Fault& fault) {
  return (fault.row == 0 ? "RowSse" : "Row" + std::to_string(fault.row)) + "_" + fault.name;
}

std::string NameOfParam(const ::testing::TestParamInfo<Fault>& info) {
  return NameOf(info.param);
}

void PrintTo(const Fault& fault, std::ostream* out) {
  *out << NameOf(fault);
}

std::string CodeName(StatusCode code) {
  static const char* const kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return kNames[code];
}

std::string LogName(StatusCode code, const std::string& reason) {
  return CodeName(code) + "/" + reason;
}

Outcome MakeCall(Igptd& igptd, const Fault& fault, Event* read) {
  const std::string token = TokenOf(fault.name);
  const std::string user = Fill(kUserCanary, token);
  const absl::Time start = absl::Now();
  Outcome outcome;
  switch (fault.call) {
    case Call::kAsk:
    case Call::kWhole:
    case Call::kRun:
    case Call::kWholeRun:
      Ask(igptd, fault, token, read, outcome);
      break;
    case Call::kSearch: {
      v1::SearchRequest request;
      request.set_user(user);
      request.set_query(Fill(kPromptCanary, token));
      request.set_include_raw(fault.include_raw);
      Take(igptd.Search(request, PrepareFor(fault)), outcome);
      break;
    }
    case Call::kList: {
      v1::ListRequest request;
      request.set_user(user);
      request.set_include_raw(fault.include_raw);
      Take(igptd.List(request, PrepareFor(fault)), outcome);
      break;
    }
    case Call::kDisconnect: {
      v1::DisconnectRequest request;
      request.set_user(user);
      request.set_id(Fill(kPromptCanary, token));
      request.set_include_raw(fault.include_raw);
      Take(igptd.Disconnect(request, PrepareFor(fault)), outcome);
      break;
    }
    case Call::kAuthorize: {
      v1::AuthorizeRequest request;
      request.set_user(user);
      request.set_service(Fill(kPromptCanary, token));
      request.set_scope("messages");
      request.set_state(Fill(kPromptCanary, token));
      request.set_include_raw(fault.include_raw);
      Take(igptd.Authorize(request, PrepareFor(fault)), outcome);
      break;
    }
  }
  outcome.took = absl::Now() - start;
  return outcome;
}

void ExpectEnd(const Fault& fault, const grpc::Status& status) {
  EXPECT_EQ(CodeName(status.error_code()), CodeName(fault.code)) << status.error_message();
  const ErrorDetails details = DetailsOf(status);
  EXPECT_EQ(details.info.reason(), fault.reason) << status.error_message();
  Facts facts(details.info.metadata().begin(), details.info.metadata().end());
  ExpectKnownFacts(fault, facts);
  ExpectCommonFacts(fault, facts);
  EXPECT_EQ(facts, fault.facts);
  EXPECT_EQ(details.bad_fields, fault.bad_fields);
  ASSERT_EQ(details.retry_info.has_value(), fault.retry_delay.has_value());
  if (fault.retry_delay) {
    EXPECT_EQ(details.retry_info->retry_delay().seconds(), absl::ToInt64Seconds(*fault.retry_delay));
  }
  EXPECT_THAT(status.error_message(), HasSubstr(fault.message));
  const std::string token = TokenOf(fault.name);
  EXPECT_THAT(status.error_message(), Not(HasSubstr(token)));
  EXPECT_THAT(status.error_details(), Not(HasSubstr(token)));
  if (status.ok()) return;
  EXPECT_EQ(details.info.domain(), "igptd");
  EXPECT_NE(status.error_message(), "");
  EXPECT_LE(status.error_message().size() + status.error_details().size(), 2048U);
}

void ExpectLog(const Igptd& igptd, const std::vector<std::string>& expected, const std::string& token) {
  std::vector<std::string> ends;
  for (const nlohmann::json& line : igptd.CallLines()) {
    ends.push_back(line.value("code", "") + "/" + line.value("reason", ""));
  }
  EXPECT_THAT(ends, UnorderedElementsAreArray(expected));
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr(token)));
  EXPECT_THAT(igptd.process->Stdout(), Not(HasSubstr(token)));
}

void ExpectCounted(const Igptd& igptd, const std::vector<std::string>& expected) {
  static const Series kAtStart = Igptd().Metrics();
  std::vector<std::string> counted;
  for (const auto& [series, value] : igptd.MetricsAtRest()) {
    const bool of_a_flag = !LabelOf(series, "file").empty();  // there is one for each file that igptd was given
    EXPECT_TRUE(of_a_flag || kAtStart.contains(series)) << "not there from the start: " << series;
    const bool error = absl::StartsWith(series, "igptd_errors_total{");
    const bool handled = absl::StartsWith(series, "grpc_server_handled_total{");
    const std::string code = LabelOf(series, "grpc_code");
    if (!error && !(handled && code == "OK")) continue;
    const std::string end =
        LabelOf(series, "grpc_method") + " " + NameOfMetricCode(code) + "/" + LabelOf(series, "reason");
    counted.insert(counted.end(), static_cast<size_t>(value), end);
  }
  EXPECT_THAT(counted, UnorderedElementsAreArray(expected));
}

void ExpectKeyEverywhere(const ScriptedHttpServer& upstream, const std::string& key) {
  for (const HttpRequest& request : upstream.requests()) {
    const size_t first = request.head.find(key);
    EXPECT_EQ(request.Header("Authorization"), "Bearer " + key) << request.head;
    EXPECT_EQ(request.head.find(key, first + 1), std::string::npos) << request.head;
    EXPECT_THAT(request.body, Not(HasSubstr(key)));
  }
}

std::vector<std::string> ResolverEnvironment(const std::string& file) {
  const char* library = std::getenv("FAULT_RESOLVER_LIBRARY");
  if (library == nullptr) {
    std::fprintf(stderr, "FAULT_RESOLVER_LIBRARY is not set\n");
    std::abort();
  }
  // Sanitizers check that they are the first library, but they don't have to be.
  return {std::string("LD_PRELOAD=") + library, "FAULT_RESOLVER=" + file, "ASAN_OPTIONS=verify_asan_link_order=0"};
}

Outcome RunFault(const Fault& fault) {
  const std::string token = TokenOf(fault.name);
  const std::string key = Fill(kKeyCanary, token);
  const ScratchDirectory directory;
  ScriptedHttpServer elsewhere;
  Event read;
  std::atomic<size_t> played = 0;
  ScriptedHttpServer far;
  std::optional<Relay> relay;

  std::vector<std::string> flags = fault.flags;
  flags.emplace_back("--log_level=trace");
  if (!fault.callers.empty()) flags.push_back("--callers_file=" + directory.Write("callers", fault.callers));
  std::vector<std::string> environment = {"IGPT_API_KEY=" + key};
  if (fault.way) {
    relay.emplace(far.port(), fault.way->identity, fault.way->greeting);
    flags.push_back("--igpt_base_url=" + relay->url("/v1", fault.way->host));
    if (fault.way->greeting == Greeting::kConnect) {
      flags.push_back("--igpt_proxy=127.0.0.1:" + std::to_string(relay->port()));
    }
    if (!fault.way->trusted.empty()) {
      flags.push_back("--igpt_ca_file=" + directory.Write("authorities", fault.way->trusted));
    }
    if (!fault.way->names.empty()) {
      const std::vector<std::string> more = ResolverEnvironment(directory.Write("names", fault.way->names));
      environment.insert(environment.end(), more.begin(), more.end());
    }
  }
  Igptd igptd(flags, environment);
  ScriptedHttpServer& upstream = fault.way ? far : igptd.upstream;
  upstream.OnRequest([&](Exchange& exchange) {
    const size_t number = std::min(played++, fault.scripts.size() - 1);
    Play(fault.scripts[number], {.token = token, .elsewhere = elsewhere.url(), .seed = 1, .read = &read}, exchange);
  });

  Outcome outcome = MakeCall(igptd, fault, &read);
  ExpectEnd(fault, outcome.status);
  EXPECT_EQ(outcome.events.size(), fault.events);
  EXPECT_LE(outcome.took, fault.within);
  EXPECT_GE(outcome.took, fault.at_least);
  if (HasStream(fault.call) && !outcome.status.ok() && fault.events == 0) {
    EXPECT_TRUE(outcome.initial.empty()) << "not a Trailers-Only response";
  }

  const std::vector<HttpRequest> requests = upstream.requests();
  EXPECT_EQ(requests.size(), fault.requests);
  EXPECT_EQ(elsewhere.connections(), 0);
  if (fault.way) {
    EXPECT_EQ(igptd.upstream.connections(), 0);
  }
  ExpectKeyEverywhere(upstream, key);
  if (fault.aborted.has_value() && !requests.empty()) {
    const int connection = requests.back().connection;
    if (*fault.aborted) {
      EXPECT_TRUE(upstream.AwaitClosed(connection));
    } else {
      EXPECT_FALSE(upstream.closed_at(connection).has_value());
    }
  }
  ExpectCounted(igptd, {MethodName(fault.call) + " " + LogName(fault.code, fault.reason)});
  EXPECT_THAT(igptd.Get("/metrics").body, Not(HasSubstr(token)));
  igptd.Stop();
  ExpectLog(igptd, {LogName(fault.code, fault.reason)}, token);
  return outcome;
}

void ListFromThreads(Igptd& igptd, int calls, const std::function<void(const grpc::Status&)>& ended) {
  constexpr int kThreads = 4;
  std::atomic<int> left = calls;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      igpt::v1::ListRequest request;
      request.set_user("ada");
      while (left-- > 0) ended(igptd.List(request).status);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace igpt::testing
