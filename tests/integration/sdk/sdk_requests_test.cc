// What the SDK sends for each call, and how it decodes the answers.
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "igpt/version.h"
#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsSupersetOf;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using OnStatus = std::function<void(absl::Status)>;

// A call in its two forms, what it must send, and an answer to it.
struct Call {
  const char* name;
  const char* target;
  const char* body;
  const char* answer;
  std::function<absl::Status(Client&, CallOptions)> blocking;
  std::function<void(Client&, CallOptions, OnStatus)> async;
};

template <typename Namespace, typename Request, typename Answer>
Call MakeCall(const char* name, const char* target, const char* body, const char* answer,
              Namespace (Client::*space)() const, absl::StatusOr<Answer> (Namespace::*blocking)(Request, CallOptions),
              PendingCall (Namespace::*async)(Request, CallOptions, Callback<Answer>), Request request) {
  return {name,
          target,
          body,
          answer,
          [=](Client& client, CallOptions options) {
            return ((client.*space)().*blocking)(request, std::move(options)).status();
          },
          [=](Client& client, CallOptions options, OnStatus done) {
            ((client.*space)().*async)(request, std::move(options),
                                       [done](const absl::StatusOr<Answer>& result) { done(result.status()); });
          }};
}

std::vector<Call> Calls() {
  AskRequest ask;
  ask.input = "Budget?\n\"Ünal\"";
  ask.quality = "cef-1-high";
  RunRequest run;
  run.input = "Budget?";
  run.quality = "cef-1-high";
  run.reasoning_effort = "high";
  run.instructions = "In one sentence.";
  SearchRequest search;
  search.user = "bob";
  search.query = "budget";
  search.date_from = "2026-01-01";
  search.date_to = "2026-02-28";
  search.max_results = 50;
  search.filter_people = "ada";
  AuthorizeRequest authorize = ConnectSpike();
  authorize.redirect_uri = "https://example.com/back";
  authorize.state = "s1";
  return {
      MakeCall<Recall, AskRequest, Answer>(
          "Ask", "/v1/recall/ask/",
          "{\"input\":\"Budget?\\n\\\"Ünal\\\"\",\"user\":\"ada\",\"stream\":false,\"quality\":\"cef-1-high\"}",
          R"({"output":"Yes."})", &Client::recall, &Recall::Ask, &Recall::Ask, ask),
      MakeCall<Recall, RunRequest, Answer>(
          "Run", "/v1/recall/run/",
          R"({"input":"Budget?","user":"ada","stream":false,"quality":"cef-1-high","reasoning_effort":"high",)"
          R"("instructions":"In one sentence."})",
          R"({"output":"Yes."})", &Client::recall, &Recall::Run, &Recall::Run, run),
      MakeCall<Recall, SearchRequest, SearchAnswer>(
          "Search", "/v1/recall/search/",
          R"({"user":"bob","query":"budget","date_from":"2026-01-01","date_to":"2026-02-28","max_results":50,)"
          R"("filter_people":"ada"})",
          "[]", &Client::recall, &Recall::Search, &Recall::Search, search),
      MakeCall<Datasources, ListRequest, ListAnswer>("List", "/v1/datasources/list/", R"({"user":"ada"})",
                                                     R"({"datasources":[]})", &Client::datasources, &Datasources::List,
                                                     &Datasources::List, ListRequest()),
      MakeCall<Datasources, DisconnectRequest, DisconnectAnswer>(
          "Disconnect", "/v1/datasources/disconnect/", R"({"user":"ada","id":"spike/1/messages"})", "{}",
          &Client::datasources, &Datasources::Disconnect, &Datasources::Disconnect, DisconnectSpike()),
      MakeCall<Connectors, AuthorizeRequest, AuthorizeAnswer>(
          "Authorize", "/v1/connectors/authorize/",
          R"({"user":"ada","service":"spike","scope":"messages","redirect_uri":"https://example.com/back","state":"s1"})",
          R"({"url":"https://example.com/connect"})", &Client::connectors, &Connectors::Authorize,
          &Connectors::Authorize, authorize),
  };
}

class CallTest : public ::testing::TestWithParam<Call> {};
INSTANTIATE_TEST_SUITE_P(Each, CallTest, ::testing::ValuesIn(Calls()),
                         [](const auto& call) { return std::string(call.param.name); });

TEST_P(CallTest, SendsExactlyItsRequest) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, GetParam().answer));
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));

  EXPECT_THAT(GetParam().blocking(*client, {}), IsOk());
  Outcome outcome;
  GetParam().async(*client, {}, [&](absl::Status status) { outcome.Set(std::move(status)); });
  EXPECT_THAT(outcome.Await(), IsOk());

  const std::vector<HttpRequest> requests = server.requests();
  ASSERT_THAT(requests, SizeIs(2));
  for (const HttpRequest& request : requests) {
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, GetParam().target);
    EXPECT_EQ(request.body, GetParam().body);
    // Exactly these headers: above all no Accept-Encoding and no Expect.
    EXPECT_THAT(
        request.headers,
        UnorderedElementsAre(Pair("Host", absl::StrCat("127.0.0.1:", server.port())),
                             Pair("Authorization", "Bearer ak:test"), Pair("Content-Type", "application/json"),
                             Pair("Accept", "application/json"), Pair("X-Client", absl::StrCat("igpt-cpp/", kVersion)),
                             Pair("User-Agent", absl::StrCat("igpt-cpp/", kVersion)), Pair("X-Request-Id", SizeIs(36)),
                             Pair("Content-Length", std::to_string(request.body.size()))));
  }
}

TEST_P(CallTest, SendsWhatItsOptionsSay) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, GetParam().answer));
  Options options = OptionsFor(server);
  options.client_name = "my-service/1.0";
  const std::unique_ptr<Client> client = MakeClient(options);

  CallOptions call;
  call.api_key = "ak:other";
  call.request_id = "id 1";
  call.headers = {{"traceparent", "00-1"}};
  EXPECT_THAT(GetParam().blocking(*client, call), IsOk());

  const HttpRequest request = server.requests().at(0);
  EXPECT_EQ(request.Header("Authorization"), "Bearer ak:other");
  EXPECT_EQ(request.Header("X-Client"), "my-service/1.0");
  EXPECT_EQ(request.Header("User-Agent"), absl::StrCat("my-service/1.0 igpt-cpp/", kVersion));
  EXPECT_EQ(request.Header("X-Request-Id"), "id 1");
  EXPECT_EQ(request.Header("traceparent"), "00-1");
}

// A call's header takes the place of the client's, whatever the case of its name.
TEST_P(CallTest, SendsTheClientsHeaders) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, GetParam().answer));
  Options options = OptionsFor(server);
  options.client_name = "my-service/1.0";
  options.user_agent = "own agent/2.0";
  options.headers = {{"X-Team", "search"}, {"X-Tenant", "a"}, {"X-Tenant", "b"}};
  const std::unique_ptr<Client> client = MakeClient(options);
  EXPECT_THAT(GetParam().blocking(*client, {}), IsOk());
  CallOptions call;
  call.headers = {{"x-tenant", "c"}, {"traceparent", "1"}};
  EXPECT_THAT(GetParam().blocking(*client, call), IsOk());

  const std::vector<HttpRequest> requests = server.requests();
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_THAT(requests[0].headers,
              IsSupersetOf({Pair("X-Team", "search"), Pair("X-Tenant", "a"), Pair("X-Tenant", "b"),
                            Pair("User-Agent", "own agent/2.0"), Pair("X-Client", "my-service/1.0")}));
  EXPECT_THAT(requests[0].headers, SizeIs(11));
  EXPECT_THAT(requests[1].headers, IsSupersetOf({Pair("X-Team", "search"), Pair("x-tenant", "c"),
                                                 Pair("traceparent", "1"), Pair("User-Agent", "own agent/2.0")}));
  EXPECT_THAT(requests[1].headers, SizeIs(11));
}

TEST_P(CallTest, UsesTheNewKey) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, GetParam().answer));
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
  EXPECT_THAT(client->SetApiKey("ak:new"), IsOk());
  EXPECT_THAT(client->SetApiKey("ak:with a space"), IsError(ErrorKind::kInvalidRequest));
  EXPECT_THAT(GetParam().blocking(*client, {}), IsOk());
  EXPECT_EQ(server.requests().at(0).Header("Authorization"), "Bearer ak:new");
}

// Authorize and Disconnect must know whether their request arrived, which a pooled connection could hide.
TEST_P(CallTest, ReusesConnectionsUnlessItMustNotBeRepeated) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, GetParam().answer));
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(GetParam().blocking(*client, {}), IsOk());

  const std::string name = GetParam().name;
  EXPECT_EQ(server.connections(), name == "Authorize" || name == "Disconnect" ? 3 : 1);
}

TEST_P(CallTest, ReportsIgptsErrors) {
  ScriptedHttpServer server;
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
  server.OnNextRequest(Respond(200, R"({"error":"auth"})"));
  EXPECT_THAT(GetParam().blocking(*client, {}), IsError(ErrorKind::kAuth));
  server.OnNextRequest(Respond(200, R"({"error":"params"})"));
  EXPECT_THAT(GetParam().blocking(*client, {}), IsError(ErrorKind::kParams));
  server.OnNextRequest(Respond(200, R"({"error":"quota"})"));
  const absl::Status quota = GetParam().blocking(*client, {});
  EXPECT_THAT(quota, IsError(ErrorKind::kApi));
  EXPECT_EQ(ErrorOf(quota)->api_code, "quota");
}

TEST_P(CallTest, RefusesWhatIsNoAnswer) {
  ScriptedHttpServer server;
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
  const Handler cases[] = {
      Respond(204, ""),
      Respond(200, ""),
      Respond(200, "<html>", {{"Content-Type", "text/html"}}),
      Respond(200, "not JSON"),
      Respond(200, GetParam().answer, {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}}),
      Respond(302, "", {{"Location", server.url("/elsewhere")}}),
      Respond(307, "", {{"Location", server.url("/elsewhere")}}),
  };
  for (const Handler& handler : cases) {
    server.OnNextRequest(handler);
    EXPECT_THAT(GetParam().blocking(*client, {}), IsError(ErrorKind::kProtocol));
  }
  for (const HttpRequest& request : server.requests()) EXPECT_EQ(request.target, GetParam().target);
  EXPECT_THAT(server.requests(), SizeIs(std::size(cases)));
}

TEST(SdkRequestsTest, StreamAsksForEvents) {
  ScriptedHttpServer server;
  server.OnRequest(WholeRun());
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
  EXPECT_THAT(AskAll(*client), EndsProperly());
  EXPECT_THAT(AskAll(*client), EndsProperly());
  const HttpRequest request = server.requests().at(0);
  EXPECT_EQ(request.body, R"({"input":"What did we decide?","user":"ada","stream":true})");
  EXPECT_EQ(request.Header("Accept"), "text/event-stream");
  EXPECT_EQ(request.Header("Accept-Encoding"), std::nullopt);
  EXPECT_EQ(server.connections(), 1) << "a stream that was read to its end leaves its connection to the next";
}

TEST(SdkRequestsTest, StreamOfARunAsksForEvents) {
  ScriptedHttpServer server;
  server.OnRequest(WholeRun());
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
  RunRequest run;
  run.input = "What did we decide?";
  run.reasoning_effort = "low";
  run.instructions = "In French.";
  run.include_raw = true;
  const Reading reading = ReadAll(client->recall().RunStream(run));
  EXPECT_THAT(reading, EndsProperly());
  EXPECT_THAT(reading.events, SizeIs(3));
  const HttpRequest request = server.requests().at(0);
  EXPECT_EQ(request.target, "/v1/recall/run/");
  EXPECT_EQ(request.body, R"({"input":"What did we decide?","user":"ada","stream":true,"reasoning_effort":"low",)"
                          R"("instructions":"In French."})");
  EXPECT_EQ(request.Header("Accept"), "text/event-stream");
}

TEST(SdkRequestsTest, SchemaArrivesVerbatim) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, R"({"output":{"a" : 1e400, "a":18446744073709551617}})"));
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
  AskRequest request;
  request.input = "?";
  request.output_format.kind = OutputFormat::Kind::kJsonSchema;
  request.output_format.schema =
      "{ \"z\":1,\t\"a\" : 18446744073709551616,\n\"a\":-0.0e+00, \"maximum\":1e999,\"s\":\"\\u00e9\\/\" }";
  const absl::StatusOr<Answer> answer = client->recall().Ask(request);
  EXPECT_EQ(server.requests().at(0).body,
            absl::StrCat(R"({"input":"?","user":"ada","stream":false,"output_format":{"schema":)",
                         request.output_format.schema, "}}"));
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(std::get<Json>(answer->output).json, R"({"a" : 1e400, "a":18446744073709551617})");
}

TEST(SdkRequestsTest, AnswersAreDecoded) {
  ScriptedHttpServer server;
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
  server.OnNextRequest(Respond(200, R"({"id":"r1","output":"Yes.","usage":{"total_tokens":7}})"));
  const absl::StatusOr<Answer> answer = client->recall().Ask(Question());
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(std::get<Text>(answer->output).text, "Yes.");
  EXPECT_EQ(answer->usage->total_tokens, 7);

  server.OnNextRequest(Respond(200, R"({"results":[{"id":"m1","subject":"Budget","body":"…","from":"bob"}]})"));
  const absl::StatusOr<SearchAnswer> found = client->recall().Search({});
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(found->results, ElementsAre(Field(&SearchResult::content, "…")));

  server.OnNextRequest(Respond(200, R"({"datasources":[{"id":"spike/1/messages","service":"spike"}]})"));
  const absl::StatusOr<ListAnswer> list = client->datasources().List({});
  ASSERT_THAT(list, IsOk());
  EXPECT_THAT(list->datasources, ElementsAre(Field(&Datasource::id, "spike/1/messages")));

  server.OnNextRequest(Respond(200, R"({"url":"https://example.com/connect"})"));
  const absl::StatusOr<AuthorizeAnswer> page = client->connectors().Authorize(ConnectSpike());
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->url, "https://example.com/connect");

  server.OnNextRequest(Respond(200, R"({"removed":true})"));
  const absl::StatusOr<DisconnectAnswer> gone = client->datasources().Disconnect(DisconnectSpike());
  ASSERT_THAT(gone, IsOk());
  EXPECT_EQ(gone->raw_json, R"({"removed":true})");

  server.OnNextRequest(Respond(404, R"({"detail":"no"})"));
  EXPECT_THAT(client->datasources().Disconnect(DisconnectSpike()), IsError(ErrorKind::kNotFound));
}

TEST(SdkRequestsTest, InvalidRequestsNameEveryViolationAndSendNothing) {
  ScriptedHttpServer server;
  Options options = OptionsFor(server);
  options.user = "";
  const std::unique_ptr<Client> client = MakeClient(options);
  CallOptions call;
  call.headers = {{"Host", "example.com"}};

  const auto fields = [](const absl::Status& status) {
    EXPECT_THAT(status, IsError(ErrorKind::kInvalidRequest));
    const Error error = ErrorOf(status).value_or(Error());
    std::vector<std::string> names;
    for (const FieldViolation& violation : error.violations) names.push_back(violation.field);
    return names;
  };
  AskRequest ask;
  ask.output_format.kind = OutputFormat::Kind::kJsonSchema;
  ask.output_format.schema = "[]";
  EXPECT_THAT(fields(client->recall().Ask(ask, call).status()),
              ElementsAre("user", "input", "output_format.json_schema.schema", "headers"));
  EXPECT_THAT(fields(client->recall().AskStream(ask, call).Read().status()),
              ElementsAre("user", "input", "output_format.json_schema.schema", "headers"));
  SearchRequest search;
  search.user = "a\nb";
  search.date_from = "2026-02-30";
  search.date_to = "soon";
  search.max_results = -1;
  EXPECT_THAT(fields(client->recall().Search(search).status()),
              ElementsAre("user", "date_from", "date_to", "max_results"));
  EXPECT_THAT(fields(client->datasources().List({}).status()), ElementsAre("user"));
  EXPECT_THAT(fields(client->datasources().Disconnect({}).status()), ElementsAre("user", "id"));
  EXPECT_THAT(fields(client->connectors().Authorize({}).status()), ElementsAre("user", "service", "scope"));

  Outcome outcome;
  client->datasources().List({}, call, outcome.Callback());
  EXPECT_THAT(fields(outcome.Await()), ElementsAre("user", "headers"));
  EXPECT_EQ(server.connections(), 0);
}

TEST(SdkRequestsTest, ResolvesTheHostOfTheBaseUrl) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, "[]"));
  Options options = OptionsFor(server);
  options.base_url = absl::StrCat("http://localhost:", server.port(), "/v1/");
  const std::unique_ptr<Client> client = MakeClient(options);
  EXPECT_THAT(client->recall().Search({}), IsOk());
  EXPECT_THAT(client->recall().Search({}), IsOk());
  EXPECT_EQ(server.requests().at(0).target, "/v1/recall/search/");
  EXPECT_EQ(server.requests().at(0).Header("Host"), absl::StrCat("localhost:", server.port()));
}

// The address is nobody's: a proxy takes the request.
TEST(SdkRequestsTest, HttpGoesToOtherHostsWhenAskedFor) {
  ScriptedHttpServer proxy;
  proxy.OnRequest(Respond(200, "[]"));
  Options options = OptionsFor(proxy);
  options.base_url = "http://192.0.2.7:8080/v1";
  options.proxy = proxy.url();
  EXPECT_THAT(Client::Create(options), IsError(ErrorKind::kInvalidRequest));
  options.allow_http = true;
  EXPECT_THAT(MakeClient(options)->recall().Search({}), IsOk());
  EXPECT_EQ(proxy.requests().at(0).target, "http://192.0.2.7:8080/v1/recall/search/");
}

TEST(SdkRequestsTest, ProxyIsUsedOnlyWhenAskedFor) {
  ScriptedHttpServer server, proxy;
  server.OnRequest(Respond(200, "[]"));
  proxy.OnRequest(Respond(200, "[]"));
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::setenv(name, proxy.url().c_str(), /*replace=*/1);
  EXPECT_THAT(MakeClient(OptionsFor(server))->recall().Search({}), IsOk());
  EXPECT_EQ(proxy.connections(), 0);
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);

  Options options = OptionsFor(server);
  options.proxy = proxy.url();
  EXPECT_THAT(MakeClient(options)->recall().Search({}), IsOk());
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(proxy.requests().at(0).target, server.url("/v1/recall/search/"));
}

}  // namespace
}  // namespace igpt::testing
