// No key, prompt, answer or user leaks: canaries are planted in everything that igptd gets from callers, from its
// operator and from iGPT, and then searched for in everything that it logs and reports.
#include <csignal>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "grpc/channelz/v1/channelz.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using grpc::StatusCode;
using ::testing::HasSubstr;

constexpr char kCanaryKey[] = "ak:canary-key";
constexpr char kUser[] = "canary-user";

// Fails the test if a canary is in the text, and says which.
void ExpectNoCanary(const std::string& name, const std::string& text) {
  const size_t found = absl::AsciiStrToLower(text).find("canary");
  EXPECT_EQ(found, std::string::npos) << name << " has: " << text.substr(found - std::min<size_t>(found, 80), 160);
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Callers have secrets too, and may be hostile.
void WithHostileMetadata(grpc::ClientContext& context) {
  context.AddMetadata("x-request-id", "canary id, with spaces");
  context.AddMetadata("traceparent", "00-canary");
  context.AddMetadata("tracestate", "canary=canary");
  context.AddMetadata("authorization", "Bearer canary-token");
  context.AddMetadata("x-igpt-api-key", "ak:canary-callers-key");
  context.AddMetadata("cookie", "canary=1");
  context.AddMetadata("canary", "canary");
  context.AddMetadata("canary-bin", std::string("canary\0\xFF\n", 9));
}

// How a call ended, and everything that igptd told the caller besides the answer.
struct End {
  StatusCode code;
  std::string said;
  std::string answer;
};

template <typename Ended>
End EndOf(const Ended& ended, std::string answer) {
  std::string said = absl::StrCat(ended.status.error_message(), "\n", ended.status.error_details());
  for (const Metadata* metadata : {&ended.initial, &ended.trailing}) {
    for (const auto& [name, value] : *metadata) absl::StrAppend(&said, "\n", name, ": ", value);
  }
  return {ended.status.error_code(), said, std::move(answer)};
}

v1::AskRequest CanaryQuestion() {
  v1::AskRequest request = AskFor(kUser, "Is the canary-input in the mine?");
  request.set_quality("canary-quality");
  request.mutable_output_format()->mutable_json_schema()->set_schema(R"({"title":"canary-schema","type":"object"})");
  request.mutable_output_format()->mutable_json_schema()->set_name("canary-schema-name");
  request.set_include_raw(true);
  return request;
}

End Ask(Igptd& igptd, const v1::AskRequest& request) {
  const Stream stream = igptd.Ask(request, WithHostileMetadata);
  std::string answer;
  for (const v1::RunEvent& event : stream.events) absl::StrAppend(&answer, event.DebugString());
  return EndOf(stream, answer);
}

End AskCanaryQuestion(Igptd& igptd) {
  return Ask(igptd, CanaryQuestion());
}

End Search(Igptd& igptd, const std::string& date_from) {
  v1::SearchRequest request;
  request.set_user(kUser);
  request.set_query("canary-query");
  request.set_filter_people("canary-people@example.com");
  request.set_date_from(date_from);
  const auto ended = igptd.Search(request, WithHostileMetadata);
  return EndOf(ended, ended.response.DebugString());
}

End Authorize(Igptd& igptd, const std::string& redirect_uri) {
  v1::AuthorizeRequest request;
  request.set_user(kUser);
  request.set_service("canary-service");
  request.set_scope("canary-scope");
  request.set_redirect_uri(redirect_uri);
  request.set_state("canary-state");
  const auto ended = igptd.Authorize(request, WithHostileMetadata);
  return EndOf(ended, ended.response.DebugString());
}

End List(Igptd& igptd) {
  v1::ListRequest request;
  request.set_user(kUser);
  const auto ended = igptd.List(request, WithHostileMetadata);
  return EndOf(ended, ended.response.DebugString());
}

End Disconnect(Igptd& igptd, const std::string& user) {
  v1::DisconnectRequest request;
  request.set_user(user);
  request.set_id("canary/1/datasource");
  request.set_include_raw(true);
  const auto ended = igptd.Disconnect(request, WithHostileMetadata);
  return EndOf(ended, ended.response.DebugString());
}

Handler Answers(int status, std::string body, HttpHeaders headers = {{"Content-Type", "application/json"}}) {
  return [=](Exchange& exchange) { exchange.Answer(status, body, headers); };
}

// Two events, then these bytes as the rest of the chunked body.
Handler StreamsThen(
    std::string rest, std::function<void(Exchange&)> then = [](Exchange& exchange) { exchange.Close(); }) {
  return [=](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart, DeltaEvent(1, "canary-answer"));
    exchange.Send(rest);
    then(exchange);
  };
}

// A whole stream with this output.
Handler StreamsWhole(std::string output) {
  return [output = std::move(output)](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(R"({"type":"run.start","seq":0,"id":"canary-run","context":{"quality":"canary-quality",)"
                     R"("datasources":[{"id":"canary-id","service":"canary","title":"canary-title"}]}})",
                     DeltaEvent(1, "canary-answer"), R"({"type":"canary.event","seq":2,"text":"canary-text"})",
                     R"({"type":"run.done","seq":3,"id":"canary-run","canary":"canary-raw","output":)" + output +
                         R"(,"sources":[{"id":"canary-source","title":"canary-title"}]})");
    exchange.EndChunked();
  };
}

// A call, how it ends, and iGPT's answer, if igptd asks.
struct Case {
  StatusCode code;
  std::function<End(Igptd&)> call;
  Handler answer = nullptr;
};

// Requests that igptd itself rejects.
std::vector<Case> RefusedRequests() {
  return {
      {StatusCode::INVALID_ARGUMENT, [](Igptd& igptd) { return Ask(igptd, AskFor("", "canary-input")); }},
      {StatusCode::INVALID_ARGUMENT, [](Igptd& igptd) { return Ask(igptd, AskFor("canary\r\nX: canary", "?")); }},
      {StatusCode::INVALID_ARGUMENT, [](Igptd& igptd) { return Ask(igptd, AskFor("canary\xFF", "canary\xFF")); }},
      {StatusCode::INVALID_ARGUMENT,
       [](Igptd& igptd) {
         std::string input;
         while (input.size() <= (1 << 20)) input += "canary-input ";
         return Ask(igptd, AskFor(kUser, input));
       }},
      {StatusCode::INVALID_ARGUMENT,
       [](Igptd& igptd) {
         v1::AskRequest request = CanaryQuestion();
         request.mutable_output_format()->mutable_json_schema()->set_schema("{\"canary-schema\":");
         return Ask(igptd, request);
       }},
      {StatusCode::INVALID_ARGUMENT, [](Igptd& igptd) { return Search(igptd, "canary-date"); }},
      {StatusCode::INVALID_ARGUMENT, [](Igptd& igptd) { return Authorize(igptd, "canary\nredirect"); }},
      {StatusCode::INVALID_ARGUMENT, [](Igptd& igptd) { return Disconnect(igptd, std::string(2000, 'a') + "canary"); }},
      {StatusCode::RESOURCE_EXHAUSTED,
       [](Igptd& igptd) {
         const Stream stream = igptd.Ask(CanaryQuestion(), [](grpc::ClientContext& context) {
           WithHostileMetadata(context);
           for (int i = 0; i < 300; ++i) context.AddMetadata("x-canary", "canary");
         });
         return EndOf(stream, "");
       }},
      {StatusCode::UNIMPLEMENTED,
       [](Igptd& igptd) {
         const RawAnswer answer = CallRaw(igptd.channel, "/igpt.v1.RecallService/Converse", "canary");
         return EndOf(Unary<v1::ListResponse>{.response = {}, .status = answer.status, .initial = {}, .trailing = {}},
                      answer.bytes);
       }},
  };
}

// Faults of iGPT.
std::vector<Case> FaultsOfIgpt() {
  std::vector<Case> cases;
  const auto add = [&cases](StatusCode code, Handler answer) {
    cases.push_back({code, AskCanaryQuestion, std::move(answer)});
  };
  const auto no_more = [](Exchange& exchange) { exchange.EndChunked(); };
  add(StatusCode::FAILED_PRECONDITION, Answers(401, "canary: no such key"));
  add(StatusCode::FAILED_PRECONDITION, Answers(200, R"({"error":"auth","message":"ak:canary-key is not a key"})"));
  add(StatusCode::INVALID_ARGUMENT, Answers(400, R"({"error":"params","message":"canary-input"})"));
  add(StatusCode::UNKNOWN, Answers(200, R"({"error":"the canary-input is not liked"})"));
  add(StatusCode::INTERNAL, Answers(404, "canary"));
  add(StatusCode::RESOURCE_EXHAUSTED,
      Answers(429, "canary", {{"Content-Type", "text/plain"}, {"Retry-After", "canary"}}));
  add(StatusCode::UNAVAILABLE, Answers(503, "<html>canary</html>", {{"Content-Type", "text/html"}}));
  add(StatusCode::INTERNAL, Answers(302, "canary", {{"Location", "https://canary.example/?key=canary"}}));
  add(StatusCode::INTERNAL, Answers(200, "<html>canary</html>", {{"Content-Type", "text/html; canary=canary"}}));
  add(StatusCode::INTERNAL,
      Answers(200, "canary", {{"Content-Type", "application/json"}, {"Content-Encoding", "canary"}}));
  add(StatusCode::INTERNAL, Answers(200, R"({"output":"canary-answer)"));
  add(StatusCode::INTERNAL, [](Exchange& exchange) {
    exchange.Send("canary\r\n\r\n");
    exchange.Close();
  });
  add(StatusCode::INTERNAL, [](Exchange& exchange) {
    exchange.Send("HTTP/1.1 200 canary\r\nX-Canary canary\r\nContent-Length: canary\r\n\r\ncanary");
    exchange.Close();
  });
  add(StatusCode::DATA_LOSS, StreamsWhole(R"("canary-answer, and no JSON")"));
  add(StatusCode::DATA_LOSS, StreamsThen(Chunk(SseEvent("canary, and no JSON"))));
  add(StatusCode::DATA_LOSS, StreamsThen(Chunk(SseEvent("{\"delta\":\"canary\xFF\"}"))));
  add(StatusCode::UNAVAILABLE, StreamsThen(""));
  add(StatusCode::UNAVAILABLE, StreamsThen("canary\r\n"));
  add(StatusCode::UNAVAILABLE, StreamsThen("", [](Exchange& exchange) { exchange.Reset(); }));
  add(StatusCode::UNAVAILABLE, StreamsThen(Chunk("data: {\"delta\":\"canary"), no_more));
  add(StatusCode::UNKNOWN, StreamsThen(Chunk(SseEvent(R"({"error":"no canary here"})")), no_more));
  add(StatusCode::RESOURCE_EXHAUSTED,
      StreamsThen(Chunk(SseEvent(R"({"delta":"canary)" + std::string(10'000, 'a') + R"("})"))));
  add(StatusCode::DEADLINE_EXCEEDED, StreamsThen("", [](Exchange& exchange) { exchange.Stall(); }));
  return cases;
}

std::vector<Case> Successes() {
  return {
      {StatusCode::OK, AskCanaryQuestion, StreamsWhole(R"("{\"canary\":\"canary-answer\"}")")},
      {StatusCode::OK,
       [](Igptd& igptd) {
         v1::AskRequest request = CanaryQuestion();
         request.set_whole_answer(true);
         return Ask(igptd, request);
       },
       Answers(200, R"({"output":"{\"canary\":\"canary-answer\"}","canary":"canary-raw"})")},
      {StatusCode::OK, [](Igptd& igptd) { return Search(igptd, "2026-01-01"); },
       Answers(200, R"({"results":[{"id":"canary-id","subject":"canary-subject","content":"canary-content"}]})")},
      {StatusCode::OK, [](Igptd& igptd) { return Authorize(igptd, "https://canary.example/back"); },
       Answers(200, R"({"url":"https://canary.example/?state=canary-state"})")},
      {StatusCode::OK, List,
       Answers(200, R"({"datasources":[{"id":"canary-id","service":"canary","title":"canary-title"}]})")},
      {StatusCode::OK, [](Igptd& igptd) { return Disconnect(igptd, kUser); },
       Answers(200, R"({"message":"canary is gone"})")},
  };
}

// A caller that leaves during the answer, and one whose deadline passes.
void LeaveEarly(Igptd& igptd) {
  igptd.upstream.OnNextRequest(StreamsThen("", [](Exchange& exchange) { exchange.Stall(); }));
  grpc::ClientContext context;
  WithHostileMetadata(context);
  const auto reader = igptd.recall->Ask(&context, CanaryQuestion());
  v1::AskResponse event;
  EXPECT_TRUE(reader->Read(&event));
  context.TryCancel();
  EXPECT_EQ(ReadAll(context, *reader).status.error_code(), StatusCode::CANCELLED);

  igptd.upstream.OnNextRequest([](Exchange& exchange) { exchange.Stall(); });
  const Stream late = igptd.Ask(CanaryQuestion(), [](grpc::ClientContext& late_context) {
    late_context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Milliseconds(200)));
  });
  EXPECT_EQ(late.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
}

// Everything that channelz reports about the server and its connections.
std::string DescribeServer(const Igptd& igptd) {
  namespace channelz = grpc::channelz::v1;
  const auto stub = channelz::Channelz::NewStub(igptd.channel);
  channelz::GetServersResponse servers;
  grpc::ClientContext servers_context;
  EXPECT_THAT(stub->GetServers(&servers_context, {}, &servers), IsOkStatus());
  std::string description = servers.DebugString();
  for (const channelz::Server& server : servers.server()) {
    channelz::GetServerSocketsRequest sockets_request;
    sockets_request.set_server_id(server.ref().server_id());
    channelz::GetServerSocketsResponse sockets;
    grpc::ClientContext sockets_context;
    EXPECT_THAT(stub->GetServerSockets(&sockets_context, sockets_request, &sockets), IsOkStatus());
    absl::StrAppend(&description, sockets.DebugString());
    for (const channelz::SocketRef& ref : sockets.socket_ref()) {
      channelz::GetSocketRequest socket_request;
      socket_request.set_socket_id(ref.socket_id());
      channelz::GetSocketResponse socket;
      grpc::ClientContext socket_context;
      EXPECT_THAT(stub->GetSocket(&socket_context, socket_request, &socket), IsOkStatus());
      absl::StrAppend(&description, socket.DebugString());
    }
  }
  return description;
}

TEST(IgptdCanaryTest, NothingThatIsNotItsBusinessIsInWhatIgptdSays) {
  const ScratchDirectory directory;
  const std::string key_file = directory.Write("key", std::string(kCanaryKey) + "\n");
  Igptd igptd({"--log_level=trace", "--log_format=json", "--channelz", "--igpt_api_key_file=" + key_file,
               "--max_retries=1", "--max_event_bytes=4KiB", "--idle_timeout=2s"},
              {});

  size_t calls = 0;
  for (const std::vector<Case>& cases : {Successes(), RefusedRequests(), FaultsOfIgpt(), Successes()}) {
    for (const Case& row : cases) {
      const std::string name = absl::StrCat("call ", ++calls);
      if (row.answer) igptd.upstream.OnNextRequest(row.answer);
      const size_t requests = igptd.upstream.requests().size();
      const End end = row.call(igptd);
      EXPECT_EQ(end.code, row.code) << name << ": " << end.said;
      EXPECT_EQ(igptd.upstream.requests().size(), requests + (row.answer ? 1 : 0)) << name;
      ExpectNoCanary(name, end.said);
      // The canaries really were in what the caller got.
      if (row.code == StatusCode::OK) {
        EXPECT_THAT(end.answer, HasSubstr("canary")) << name;
        EXPECT_THAT(igptd.upstream.requests().back().body, HasSubstr("canary")) << name;
        EXPECT_THAT(igptd.upstream.requests().back().head, HasSubstr(kCanaryKey)) << name;
      }
    }
  }
  LeaveEarly(igptd);
  calls += 2;

  directory.Write("key", "canary: no key\n");
  EXPECT_TRUE(igptd.process->AwaitStderr("keeping the old iGPT key"));
  igptd.process->Signal(SIGHUP);
  EXPECT_TRUE(igptd.process->AwaitStderr("log level changed"));

  for (const std::string page : {"/metrics", "/configz", "/healthz", "/readyz", "/canary"}) {
    const AdminAnswer answer = igptd.Get(page);
    EXPECT_NE(answer.status, 0) << page;
    ExpectNoCanary(page, answer.body);
  }
  ExpectNoCanary("the answer to a level that there isn't", igptd.Post("/loglevel", "canary").body);
  const std::string server = DescribeServer(igptd);
  EXPECT_THAT(server, HasSubstr("streams_started"));
  ExpectNoCanary("channelz", server);
  const std::string proc = absl::StrCat("/proc/", igptd.process->pid());
  EXPECT_THAT(ReadFile(proc + "/cmdline"), HasSubstr("--log_level=trace"));
  for (const char* file : {"/cmdline", "/environ", "/comm"}) ExpectNoCanary(file, ReadFile(proc + file));

  igptd.Stop();
  EXPECT_EQ(igptd.CallLines().size(), calls);
  ExpectNoCanary("the log", igptd.process->Stderr());
  ExpectNoCanary("stdout", igptd.process->Stdout());
}

constexpr char kToken[] = "canary-token-0123456789abcdef";
// From sha256sum.
constexpr char kTokenHash[] = "9ca6b2b4117606aa8da3a17ef04ab3f77d4036b48192cbf45ea3c422a92301e8";

Prepare Bringing(std::string token, std::string key) {
  return [=](grpc::ClientContext& context) {
    context.AddMetadata("authorization", "Bearer " + token);
    context.AddMetadata("x-igpt-api-key", key);
  };
}

// A caller's token is a secret too, and so are the users that it may act for.
TEST(IgptdCanaryTest, NeitherTokensNorCallersKeysNorTheirUsersAre) {
  const ScratchDirectory directory;
  const std::string callers = directory.Write(
      "callers", absl::StrCat(R"({"callers":[{"name":"billing","key":"caller","token_sha256":[")", kTokenHash,
                              R"("],"users":{"exact":["canary-user"],"prefixes":["canary-tenant/"]}}]})"));
  Igptd igptd({"--log_level=trace", "--log_format=json", "--callers_file=" + callers},
              {absl::StrCat("IGPT_API_KEY=", kCanaryKey)});
  const std::string key = "ak:canary-callers-key";
  const auto list = [&](StatusCode code, const std::string& user, const Prepare& prepare) {
    v1::ListRequest request;
    request.set_user(user);
    const auto ended = igptd.List(request, prepare);
    const End end = EndOf(ended, ended.response.DebugString());
    EXPECT_EQ(end.code, code) << end.said;
    ExpectNoCanary(absl::StrCat("the end with code ", code), end.said);
  };
  igptd.upstream.OnNextRequest(Answers(200, R"({"datasources":[{"id":"canary-id"}]})"));
  list(StatusCode::OK, kUser, Bringing(kToken, key));
  EXPECT_EQ(igptd.upstream.requests().back().Header("Authorization"), "Bearer " + key);
  igptd.upstream.OnNextRequest(Answers(401, "ak:canary-callers-key is not a key"));
  list(StatusCode::UNAUTHENTICATED, kUser, Bringing(kToken, key));
  list(StatusCode::PERMISSION_DENIED, "canary-stranger", Bringing(kToken, key));
  list(StatusCode::UNAUTHENTICATED, kUser, Bringing("canary-other-token", key));
  list(StatusCode::UNAUTHENTICATED, kUser, Bringing(kToken, "ak:canary key with spaces"));
  list(StatusCode::UNAUTHENTICATED, kUser, {});

  directory.Write(
      "callers",
      R"({"callers":[{"name":"canary","token_sha256":["canary"],"nickname":"canary","users":{"canary":"canary"}}]})");
  EXPECT_TRUE(igptd.process->AwaitStderr("keeping the old callers"));
  for (const std::string page : {"/metrics", "/configz"}) ExpectNoCanary(page, igptd.Get(page).body);
  igptd.Stop();
  EXPECT_EQ(igptd.CallLines().size(), 6U);
  ExpectNoCanary("the log", igptd.process->Stderr());
}

// All calls of a user can be found in the log, but the user can't be found out.
TEST(IgptdCanaryTest, AUsersHashNeedsTheKey) {
  const auto hash = [](const std::string& key, const std::string& user) {
    Igptd igptd({}, {"IGPT_API_KEY=" + key});
    igptd.upstream.OnRequest(Answers(200, R"({"datasources":[]})"));
    v1::ListRequest request;
    request.set_user(user);
    EXPECT_THAT(igptd.List(request).status, IsOkStatus());
    igptd.Stop();
    const std::vector<nlohmann::json> calls = igptd.CallLines();
    return calls.empty() ? "no line" : calls.front().value("user", "no hash");
  };
  const std::string ada = hash("ak:one", "ada");
  EXPECT_THAT(ada, ::testing::MatchesRegex("[0-9a-f]{16}"));
  EXPECT_EQ(hash("ak:one", "ada"), ada);  // another process with the same key
  EXPECT_NE(hash("ak:one", "bob"), ada);
  EXPECT_NE(hash("ak:two", "ada"), ada);
}

}  // namespace
}  // namespace igpt::testing
