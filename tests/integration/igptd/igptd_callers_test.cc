// The callers file: who may call, with which methods, users and keys, what is logged about it, and its replacement.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "gtest/gtest.h"
#include "service/limits/admission.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/await.h"
#include "tests/support/certificate.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using grpc::StatusCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;
using ::testing::SizeIs;

// The hashes are from sha256sum.
constexpr char kBilling[] = "canary-token-of-billing";
constexpr char kBillingHash[] = "d3e29eddf29dd9c94a1348cd129821bb75241e08815de8b7dc2133c4cd800da2";
constexpr char kSearch[] = "canary-token-of-search";
constexpr char kSearchHash[] = "6feafeaa604a5bb41c107496d30f4cdbe9a0d25131891e8620087b07e42a11ba";
constexpr char kOwnKey[] = "canary-token-of-own-key";
constexpr char kOwnKeyHash[] = "bc6dd5d2adb5a65b4d3e48e5a86e6b91cc8c64c9e6e0b3a0fee9889f2fa08cad";

// A callers file of these entries, in which $BILLING and so on stand for the hashes.
std::string File(const std::string& entries, const std::string& more = "") {
  return absl::StrReplaceAll("{" + more + "\"callers\": [" + entries + "]}",
                             {{"$BILLING", kBillingHash}, {"$SEARCH", kSearchHash}, {"$OWN_KEY", kOwnKeyHash}});
}

constexpr char kBillingEntry[] = R"({"name": "billing", "token_sha256": ["$BILLING"],
  "users": {"exact": ["ada"], "prefixes": ["tenant-7/"], "own_name": true}})";
constexpr char kSearchEntry[] = R"({"name": "search", "token_sha256": ["$SEARCH"], "users": {"any": true},
  "methods": ["igpt.v1.RecallService/Search", "igpt.v1.DatasourcesService/*"]})";
constexpr char kOwnKeyEntry[] =
    R"({"name": "own-key", "token_sha256": ["$OWN_KEY"], "users": {"any": true}, "key": "caller"})";

Prepare Bearing(const std::string& token) {
  return [token](grpc::ClientContext& context) { context.AddMetadata("authorization", "Bearer " + token); };
}

v1::ListRequest ListOf(const std::string& user) {
  v1::ListRequest request;
  request.set_user(user);
  request.set_include_raw(true);  // so that it isn't empty when it names no user
  return request;
}

void AnswerLists(Igptd& igptd) {
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
}

// The log lines with this message.
std::vector<nlohmann::json> LinesOf(const Igptd& igptd, const std::string& message) {
  std::vector<nlohmann::json> found;
  std::istringstream lines(igptd.process->Stderr());
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json json = nlohmann::json::parse(line, /*cb=*/nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.value("message", "") == message) found.push_back(std::move(json));
  }
  return found;
}

TEST(IgptdCallersTest, EachMayDoWhatItsEntrySays) {
  const ScratchDirectory directory;
  const std::string file = directory.Write("callers", File(std::string(kBillingEntry) + "," + kSearchEntry));
  Igptd igptd({"--callers_file=" + file, "--default_user=ada", "--log_level=trace"});
  AnswerLists(igptd);
  const struct {
    const char* token;
    const char* user;
    StatusCode code;
    const char* reason;  // of an error
    const char* caller;  // in the log
  } kCases[] = {
      {kBilling, "ada", StatusCode::OK, "", "billing"},
      {kBilling, "", StatusCode::OK, "", "billing"},  // the default user
      {kBilling, "tenant-7/canary", StatusCode::OK, "", "billing"},
      {kBilling, "billing", StatusCode::OK, "", "billing"},
      {kBilling, "canary-user", StatusCode::PERMISSION_DENIED, "USER_NOT_ALLOWED", "billing"},
      {kBilling, "Ada", StatusCode::PERMISSION_DENIED, "USER_NOT_ALLOWED", "billing"},
      {kSearch, "canary-user", StatusCode::OK, "", "search"},
      {"canary-token", "ada", StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED", ""},
      {kBillingHash, "ada", StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED", ""},
      {"", "ada", StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED", ""},
      {nullptr, "ada", StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED", ""},
  };
  size_t served = 0;
  for (size_t i = 0; i < std::size(kCases); ++i) {
    const auto& test = kCases[i];
    const auto answer = igptd.List(ListOf(test.user), [&](grpc::ClientContext& context) {
      context.AddMetadata("x-request-id", absl::StrCat("case-", i));
      if (test.token != nullptr) Bearing(test.token)(context);
    });
    if (test.code == StatusCode::OK) {
      EXPECT_THAT(answer.status, IsOkStatus()) << test.user;
      ++served;
    } else {
      EXPECT_THAT(answer.status, FailsWith(test.code, test.reason)) << test.user;
    }
  }
  EXPECT_THAT(igptd.upstream.requests(), SizeIs(served));

  // A method that isn't allowed is refused before the request is parsed.
  EXPECT_THAT(igptd.Ask(AskFor("ada", ""), Bearing(kSearch)).status,
              FailsWith(StatusCode::PERMISSION_DENIED, "METHOD_NOT_ALLOWED"));
  EXPECT_THAT(igptd.upstream.requests(), SizeIs(served));
  // Two tokens are as good as none.
  EXPECT_THAT(igptd
                  .List(ListOf("ada"),
                        [](grpc::ClientContext& context) {
                          Bearing(kBilling)(context);
                          Bearing(kSearch)(context);
                        })
                  .status,
              FailsWith(StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED"));
  for (const HttpRequest& request : igptd.upstream.requests())
    EXPECT_EQ(request.Header("Authorization"), "Bearer ak:test");

  igptd.Stop();
  const std::vector<nlohmann::json> calls = igptd.CallLines();
  ASSERT_THAT(calls, SizeIs(std::size(kCases) + 2));
  // Calls on different loops may be logged in another order than they ended in.
  std::map<std::string, nlohmann::json> by_id;
  for (const nlohmann::json& call : calls) by_id[call.at("request_id")] = call;
  for (size_t i = 0; i < std::size(kCases); ++i) {
    const nlohmann::json& call = by_id[absl::StrCat("case-", i)];
    ASSERT_TRUE(call.is_object()) << i;
    EXPECT_EQ(call.value("caller", ""), kCases[i].caller) << call;
    EXPECT_EQ(call.value("reason", ""), kCases[i].reason) << call;
  }
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr("canary")));
  EXPECT_THAT(LinesOf(igptd, "anyone who can connect may call, for any user; set --callers_file to restrict this"),
              IsEmpty());
}

TEST(IgptdCallersTest, ADenialIsALineForTheAuditor) {
  const ScratchDirectory directory;
  Igptd igptd({"--callers_file=" + directory.Write("callers", File(std::string(kBillingEntry) + "," + kSearchEntry)),
               "--log_level=warn"});
  EXPECT_FALSE(igptd.List(ListOf("canary-user"), Bearing(kBilling)).status.ok());
  EXPECT_FALSE(igptd.Ask(AskFor("canary-user", "canary"), Bearing(kSearch)).status.ok());
  EXPECT_FALSE(igptd.List(ListOf("canary-user"), Bearing("canary-token")).status.ok());
  igptd.Stop();
  const std::vector<nlohmann::json> denied = LinesOf(igptd, "denied");
  ASSERT_THAT(denied, SizeIs(3));
  EXPECT_EQ(denied[0]["reason"], "USER_NOT_ALLOWED");
  EXPECT_EQ(denied[0]["caller"], "billing");
  EXPECT_EQ(denied[0]["method"], "igpt.v1.DatasourcesService/List");
  EXPECT_THAT(denied[0]["user"].get<std::string>(), SizeIs(16));
  EXPECT_EQ(denied[1]["reason"], "METHOD_NOT_ALLOWED");
  EXPECT_EQ(denied[1]["caller"], "search");
  EXPECT_EQ(denied[2]["reason"], "CALLER_UNAUTHENTICATED");
  EXPECT_FALSE(denied[2].contains("caller"));
  for (const nlohmann::json& line : denied) {
    EXPECT_EQ(line["peer"], "ipv4:127.0.0.1");
    EXPECT_TRUE(line.contains("request_id"));
  }
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr("canary")));
}

// Makes a reflection call, whose requests are a stream.
grpc::Status Reflect(const Igptd& igptd, const Prepare& prepare) {
  namespace reflection = grpc::reflection::v1;
  const auto stub = reflection::ServerReflection::NewStub(igptd.channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kWaitLimit));
  if (prepare) prepare(context);
  const auto stream = stub->ServerReflectionInfo(&context);
  reflection::ServerReflectionRequest request;
  request.set_list_services("*");
  stream->Write(request);
  stream->WritesDone();
  reflection::ServerReflectionResponse response;
  while (stream->Read(&response)) {
  }
  return stream->Finish();
}

grpc::Status CheckHealth(const Igptd& igptd, const Prepare& prepare) {
  const auto stub = grpc::health::v1::Health::NewStub(igptd.channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kWaitLimit));
  if (prepare) prepare(context);
  grpc::health::v1::HealthCheckResponse response;
  return stub->Check(&context, {}, &response);
}

TEST(IgptdCallersTest, HealthAndReflectionAreOpenUnlessTheFileSaysOtherwise) {
  const ScratchDirectory directory;
  for (const bool open : {true, false}) {
    const std::string file =
        directory.Write("callers", File(kSearchEntry, open ? "" : "\"open_standard_services\": false, "));
    const Igptd igptd({"--callers_file=" + file});
    for (const auto& call : {CheckHealth, Reflect}) {
      EXPECT_THAT(call(igptd, Bearing(kSearch)), IsOkStatus());
      for (const Prepare& unknown : {Prepare(), Bearing("canary")}) {
        if (open) {
          EXPECT_THAT(call(igptd, unknown), IsOkStatus());
        } else {
          EXPECT_THAT(call(igptd, unknown), FailsWith(StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED"));
        }
      }
    }
  }
}

// Open health watches.
class Watches {
 public:
  explicit Watches(const Igptd& igptd) : stub_(grpc::health::v1::Health::NewStub(igptd.channel)) {}
  ~Watches() {
    for (const std::unique_ptr<Watch>& watch : open_) watch->context.TryCancel();
  }

  // Opens one more. OK: it stays open.
  grpc::Status Open(const Prepare& prepare) {
    auto watch = std::make_unique<Watch>();
    if (prepare) prepare(watch->context);
    watch->reader = stub_->Watch(&watch->context, {});
    grpc::health::v1::HealthCheckResponse status;
    if (!watch->reader->Read(&status)) return watch->reader->Finish();
    open_.push_back(std::move(watch));
    return grpc::Status::OK;
  }

 private:
  struct Watch {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<grpc::health::v1::HealthCheckResponse>> reader;
  };
  const std::unique_ptr<grpc::health::v1::Health::Stub> stub_;
  std::vector<std::unique_ptr<Watch>> open_;
};

TEST(IgptdCallersTest, EachCallerHasItsOwnWatchesAndReflectionStreams) {
  const ScratchDirectory directory;
  const std::string entry = R"({"name": "billing", "token_sha256": ["$BILLING"], "users": {"any": true},
    "max_in_flight": 1, "start_rate": {"per_second": 0.01, "burst": 1}})";  // for its calls of igpt.v1
  const std::string file = directory.Write("callers", File(entry + "," + kSearchEntry));
  Igptd igptd({"--callers_file=" + file, "--max_in_flight=1"});
  AnswerLists(igptd);
  {
    Watches watches(igptd);
    for (int i = 0; i < igptd::kStandardStreams.max_in_flight_per_caller; ++i) {
      ASSERT_THAT(watches.Open(Bearing(kBilling)), IsOkStatus()) << i;
    }
    const grpc::Status refused = watches.Open(Bearing(kBilling));
    EXPECT_THAT(refused, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
    EXPECT_THAT(refused.error_message(), HasSubstr("End the streams that you don't need"));
    EXPECT_EQ(DetailsOf(refused).info.metadata().at("limit"), "standard_streams_per_caller");
    EXPECT_TRUE(DetailsOf(refused).retry_info.has_value());
    EXPECT_THAT(Reflect(igptd, Bearing(kBilling)), FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));

    // Whatever ends at once has room, and so has everybody else.
    EXPECT_THAT(CheckHealth(igptd, Bearing(kBilling)), IsOkStatus());
    EXPECT_THAT(igptd.List(ListOf("ada"), Bearing(kBilling)).status, IsOkStatus());
    for (const Prepare& other : {Bearing(kSearch), Bearing("canary"), Prepare()}) {
      EXPECT_THAT(watches.Open(other), IsOkStatus());
      EXPECT_THAT(Reflect(igptd, other), IsOkStatus());
    }
    const Series series = igptd.Metrics();
    EXPECT_EQ(series.at("igptd_standard_streams"), igptd::kStandardStreams.max_in_flight_per_caller + 3);
    EXPECT_EQ(series.at(R"(igptd_calls_shed_total{limit="standard_streams_per_caller"})"), 2);
    EXPECT_EQ(series.at(R"(igptd_calls_shed_total{limit="standard_streams"})"), 0);
  }
  EXPECT_TRUE(AwaitTrue([&] { return igptd.Metrics().at("igptd_standard_streams") == 0; }));
  EXPECT_THAT(Watches(igptd).Open(Bearing(kBilling)), IsOkStatus());
}

TEST(IgptdCallersTest, ACallerCanBringItsOwnKey) {
  const ScratchDirectory directory;
  Igptd igptd({"--callers_file=" + directory.Write("callers", File(std::string(kOwnKeyEntry) + "," + kSearchEntry)),
               "--log_level=trace"});
  AnswerLists(igptd);
  const auto with_key = [](const std::string& token, const std::string& key) {
    return [token, key](grpc::ClientContext& context) {
      Bearing(token)(context);
      context.AddMetadata("x-igpt-api-key", key);
    };
  };
  EXPECT_THAT(igptd.List(ListOf("ada"), with_key(kOwnKey, "ak:canary-own")).status, IsOkStatus());
  // A key that the caller need not send is ignored.
  EXPECT_THAT(igptd.List(ListOf("ada"), with_key(kSearch, "ak:canary-own")).status, IsOkStatus());
  ASSERT_THAT(igptd.upstream.requests(), SizeIs(2));
  EXPECT_EQ(igptd.upstream.requests()[0].Header("Authorization"), "Bearer ak:canary-own");
  EXPECT_EQ(igptd.upstream.requests()[1].Header("Authorization"), "Bearer ak:test");
  for (const HttpRequest& request : igptd.upstream.requests())
    EXPECT_THAT(request.head, Not(HasSubstr("x-igpt-api-key")));

  for (const auto& prepare :
       {Prepare(Bearing(kOwnKey)), Prepare(with_key(kOwnKey, "ak:canary own")), Prepare(with_key(kOwnKey, ""))}) {
    const auto answer = igptd.List(ListOf("ada"), prepare);
    EXPECT_THAT(answer.status, FailsWith(StatusCode::UNAUTHENTICATED, "IGPT_AUTH"));
    EXPECT_THAT(answer.status.error_message(), HasSubstr("x-igpt-api-key"));
    EXPECT_THAT(answer.status.error_message(), Not(HasSubstr("canary")));
  }
  EXPECT_THAT(igptd.upstream.requests(), SizeIs(2));

  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"error":"auth"})"); });
  EXPECT_THAT(igptd.List(ListOf("ada"), with_key(kOwnKey, "ak:canary-own")).status,
              FailsWith(StatusCode::UNAUTHENTICATED, "IGPT_AUTH"));
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?"), with_key(kOwnKey, "ak:canary-own")).status,
              FailsWith(StatusCode::UNAUTHENTICATED, "IGPT_AUTH"));
  EXPECT_THAT(igptd.List(ListOf("ada"), Bearing(kSearch)).status,
              FailsWith(StatusCode::FAILED_PRECONDITION, "IGPT_AUTH"));
  igptd.Stop();
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr("canary")));
}

TEST(IgptdCallersTest, ACertificateMakesItsCallerKnown) {
  const Authority servers("servers");
  const Authority callers("callers");
  const Identity server = servers.Issue();
  const ScratchDirectory directory;
  const std::string file = directory.Write(
      "callers", File(R"({"name": "by-dns", "san": ["DNS:Billing.internal"], "users": {"own_name": true}},
                         {"name": "by-uri", "san": ["URI:spiffe://cluster/search"], "users": {"own_name": true}},
                         {"name": "search", "token_sha256": ["$SEARCH"], "users": {"own_name": true}})"));
  Igptd igptd({"--callers_file=" + file, "--tls_cert_file=" + directory.Write("cert", CertificatePem(server)),
               "--tls_key_file=" + directory.Write("key", KeyPem(server)),
               "--tls_client_ca_file=" + directory.Write("ca", callers.Pem())});
  AnswerLists(igptd);
  // For the user with the caller's own name, so the result says which caller igptd recognized.
  const auto list = [&](const std::string& names, const std::string& user, const Prepare& prepare) {
    const Identity self = callers.Issue({.names = names});
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = servers.Pem();
    options.pem_private_key = KeyPem(self);
    options.pem_cert_chain = CertificatePem(self);
    igptd.UseChannel(igptd.NewChannel(grpc::SslCredentials(options)));
    return igptd.List(ListOf(user), prepare).status;
  };
  EXPECT_THAT(list("DNS:billing.internal", "by-dns", {}), IsOkStatus());
  EXPECT_THAT(list("DNS:unknown,DNS:BILLING.internal,IP:127.0.0.1", "by-dns", {}), IsOkStatus());
  EXPECT_THAT(list("URI:spiffe://cluster/search", "by-uri", {}), IsOkStatus());
  EXPECT_THAT(list("URI:spiffe://cluster/search", "by-uri", Bearing(kSearch)),
              FailsWith(StatusCode::PERMISSION_DENIED, "USER_NOT_ALLOWED"));
  EXPECT_THAT(list("URI:spiffe://cluster/search", "search", Bearing(kSearch)), IsOkStatus());
  for (const char* names : {"DNS:other.internal", "URI:billing.internal", "email:billing@internal",
                            "DNS:billing.internal,URI:spiffe://cluster/search"}) {
    EXPECT_THAT(list(names, "by-dns", {}), FailsWith(StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED")) << names;
  }
  EXPECT_THAT(list("DNS:billing.internal", "by-dns", Bearing("canary")),
              FailsWith(StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED"));
}

TEST(IgptdCallersTest, AReplacementIsUsedAndABrokenOneIsNot) {
  Event go_on;
  const ScratchDirectory directory;
  const std::string file = directory.Write("callers", File(kBillingEntry));
  Igptd igptd({"--callers_file=" + file});
  igptd.upstream.OnNextRequest(RunUntil(go_on));
  grpc::ClientContext context;
  Bearing(kBilling)(context);
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));
  AnswerLists(igptd);
  const auto served = [&](const char* token) { return igptd.List(ListOf("ada"), Bearing(token)).status.ok(); };
  EXPECT_TRUE(served(kBilling));
  EXPECT_FALSE(served(kSearch));

  // Calls are made one after the other, from before the file is replaced until after.
  directory.Write("callers", File(kSearchEntry));
  EXPECT_TRUE(AwaitTrue([&] { return served(kSearch); }));
  EXPECT_TRUE(AwaitTrue([&] { return !served(kBilling); }));
  // Running calls keep their rules.
  go_on.Set();
  EXPECT_THAT(ReadAll(context, *reader).status, IsOkStatus());

  directory.Write("callers", File(kBillingEntry) + "canary");
  EXPECT_TRUE(igptd.process->AwaitStderr("keeping the old callers"));
  EXPECT_TRUE(served(kSearch));
  EXPECT_FALSE(served(kBilling));
  directory.Write("callers", "{\"callers\": [{\"name\": \"canary\"");  // half of one
  EXPECT_TRUE(igptd.process->AwaitStderr("line 1: not valid JSON"));
  std::filesystem::remove(file);
  EXPECT_TRUE(igptd.process->AwaitStderr("can't be opened"));
  EXPECT_TRUE(served(kSearch));

  directory.Write("callers", File(std::string(kBillingEntry) + "," + kSearchEntry));
  EXPECT_TRUE(AwaitTrue([&] { return served(kBilling); }));
  igptd.Stop();
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr("canary")));
}

TEST(IgptdCallersTest, WithoutAFileThatIsSaidOnce) {
  Igptd igptd({"--log_level=warn"});
  AnswerLists(igptd);
  EXPECT_THAT(igptd.List(ListOf("ada")).status, IsOkStatus());
  EXPECT_THAT(igptd.List(ListOf("ada"), Bearing("anything")).status, IsOkStatus());
  igptd.Stop();
  EXPECT_THAT(LinesOf(igptd, "anyone who can connect may call, for any user; set --callers_file to restrict this"),
              SizeIs(1));
}

TEST(IgptdCallersTest, EveryMistakeIsFoundAtOnce) {
  const ScratchDirectory directory;
  const std::string file = directory.Write(
      "callers",
      R"({"callers": [{"name": "a b", "token_sha256": ["canary"], "users": {"all": true}}, {"user": "canary"}]})");
  for (const char* flag : {"--check_config", "--listen=127.0.0.1:0"}) {
    const IgptdProcess::Result result = IgptdProcess::Run({flag, "--callers_file=" + file}, {"IGPT_API_KEY=ak:test"});
    EXPECT_THAT(result.exit_code, Optional(2));
    for (const char* place :
         {"/callers/0/name: ", "/callers/0/token_sha256/0: ", "/callers/0/users: has an unknown member",
          "/callers/1/user: ", "/callers/1: requires the member name"}) {
      EXPECT_THAT(result.err, HasSubstr(place));
    }
    EXPECT_THAT(result.err, Not(HasSubstr("canary")));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
  const std::string by_san =
      directory.Write("by_san", File(R"({"name": "a", "san": ["DNS:a.internal"], "users": {"any": true}})"));
  EXPECT_THAT(IgptdProcess::Run({"--check_config", "--callers_file=" + by_san}, {"IGPT_API_KEY=ak:test"}).err,
              HasSubstr("needs --tls_client_ca_file"));
}

// The token is read from stdin, because every user of the machine can read a command line.
TEST(IgptdCallersTest, HashTokenMakesAnEntry) {
  const auto hash = [](const std::string& token) {
    Subprocess shell({"/bin/sh", "-c", "echo \"$TOKEN\" | \"$IGPTD\" hash-token"},
                     {"TOKEN=" + token, std::string("IGPTD=") + std::getenv("IGPTD_BINARY")});
    const std::optional<int> exit_code = shell.AwaitExit();
    return IgptdProcess::Result{exit_code, shell.Stdout(), shell.Stderr()};
  };
  const IgptdProcess::Result made = hash(kBilling);
  EXPECT_THAT(made.exit_code, Optional(0));
  EXPECT_THAT(made.out, HasSubstr(kBillingHash));
  EXPECT_THAT(made.out + made.err, Not(HasSubstr("canary")));
  const ScratchDirectory directory;
  const std::string file = directory.Write("callers", "{\"callers\": [" + made.out + "]}");
  Igptd igptd({"--callers_file=" + file});
  AnswerLists(igptd);
  EXPECT_THAT(igptd.List(ListOf("new-caller"), Bearing(kBilling)).status, IsOkStatus());
  EXPECT_THAT(igptd.List(ListOf("ada"), Bearing(kBilling)).status,
              FailsWith(StatusCode::PERMISSION_DENIED, "USER_NOT_ALLOWED"));
  EXPECT_THAT(igptd.Ask(AskFor("new-caller", "?"), Bearing(kBilling)).status,
              FailsWith(StatusCode::PERMISSION_DENIED, "METHOD_NOT_ALLOWED"));
  EXPECT_THAT(made.out, HasSubstr("not_after"));

  const IgptdProcess::Result refused = hash("canary short");
  EXPECT_THAT(refused.exit_code, Optional(2));
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, Not(HasSubstr("canary")));
}

TEST(IgptdCallersTest, ATokenEndsAndItsEndIsTold) {
  const ScratchDirectory directory;
  const auto entry = [](const char* name, const char* hash, absl::Time end) {
    return absl::StrCat(R"({"name": ")", name, R"(", "users": {"any": true}, "token_sha256": [{"sha256": ")", hash,
                        R"(", "not_after": ")", absl::FormatTime(end, absl::UTCTimeZone()), "\"}]}");
  };
  const absl::Time now = absl::Now();
  Igptd igptd(
      {"--callers_file=" +
           directory.Write("callers", File(entry("billing", kBillingHash, now - absl::Seconds(1)) + "," +
                                           entry("search", kSearchHash, now + absl::Hours(30)) + "," + kOwnKeyEntry)),
       "--log_format=json"});
  AnswerLists(igptd);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(igptd.List(ListOf("ada"), Bearing(kBilling)).status,
                FailsWith(StatusCode::UNAUTHENTICATED, "CALLER_TOKEN_EXPIRED"));
    EXPECT_THAT(igptd.List(ListOf("ada"), Bearing(kSearch)).status, IsOkStatus());
  }
  EXPECT_THAT(CheckHealth(igptd, Bearing(kBilling)), IsOkStatus());  // as for everyone
  igptd.Stop();
  for (const nlohmann::json& denied : LinesOf(igptd, "denied")) EXPECT_EQ(denied.at("caller"), "billing");
  EXPECT_THAT(LinesOf(igptd, "denied"), SizeIs(3));
  const std::vector<nlohmann::json> soon = LinesOf(igptd, "token ends soon");
  ASSERT_THAT(soon, SizeIs(1));
  EXPECT_EQ(soon[0].at("caller"), "search");
  EXPECT_EQ(soon[0].at("hours"), 29);
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr("canary")));
}

// So alerts see the first of them.
TEST(IgptdCallersTest, RefusalsHaveTheirSeriesFromTheStart) {
  const ScratchDirectory directory;
  Igptd igptd({"--callers_file=" + directory.Write("callers", File(std::string(kBillingEntry) + "," + kSearchEntry))});
  const Series before = igptd.Metrics();
  EXPECT_EQ(igptd.List(ListOf("ada")).status.error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(igptd.List(ListOf("bob"), Bearing(kBilling)).status.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(igptd.Ask(AskFor("ada", "?"), Bearing(kSearch)).status.error_code(), StatusCode::PERMISSION_DENIED);
  const std::string unknown = "/igpt.v1.RecallService/Nonsense";
  EXPECT_THAT(CallRaw(igptd.channel, unknown, "").status,
              FailsWith(StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED"));
  EXPECT_THAT(CallRaw(igptd.channel, unknown, "", Bearing(kSearch)).status,
              FailsWith(StatusCode::UNIMPLEMENTED, "UNKNOWN_METHOD"));
  const auto heavy = [](grpc::ClientContext& context) { context.AddMetadata("heavy", std::string(10'000, 'h')); };
  EXPECT_THAT(CallRaw(igptd.channel, unknown, "", heavy).status,
              FailsWith(StatusCode::RESOURCE_EXHAUSTED, "INVALID_REQUEST"));
  double counted = 0;
  for (const auto& [series, value] : igptd.MetricsAtRest()) {
    EXPECT_TRUE(before.contains(series)) << series;
    if (series.rfind("igptd_errors_total{", 0) == 0) counted += value;
  }
  EXPECT_EQ(counted, 6);
}

}  // namespace
}  // namespace igpt::testing
