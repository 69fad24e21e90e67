// Invalid requests: rejected before iGPT is asked, with every bad field named.
#include <string>
#include <vector>

#include "tests/fault/fault_case.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;

// A request as fields, by the messages' names; "schema" is output_format.json_schema.schema.
struct BadRequest {
  int row;
  std::string name;
  Call call;
  std::vector<std::pair<std::string, std::string>> fields;  // besides a valid user, input, and so on
  std::vector<std::string> bad_fields;
};
void PrintTo(const BadRequest& bad, std::ostream* out) {
  *out << bad.name;
}

template <typename Request>
Request Build(const BadRequest& bad, const std::string& token) {
  Request request;
  const auto set = [&request](const std::string& field, const std::string& value) {
    const google::protobuf::FieldDescriptor* descriptor = Request::descriptor()->FindFieldByName(field);
    if (descriptor != nullptr) request.GetReflection()->SetString(&request, descriptor, value);
  };
  const std::pair<std::string, std::string> kGood[] = {{"user", kUserCanary},    {"input", kPromptCanary},
                                                       {"id", kPromptCanary},    {"service", kPromptCanary},
                                                       {"scope", kPromptCanary}, {"query", kPromptCanary}};
  for (const auto& [field, value] : kGood) set(field, Fill(value, token));
  for (const auto& [field, value] : bad.fields) set(field, Fill(value, token));
  return request;
}

class RequestFaultTest : public ::testing::TestWithParam<BadRequest> {};

TEST_P(RequestFaultTest, IsRefusedAndNothingIsSent) {
  const BadRequest& bad = GetParam();
  const std::string token = TokenOf(bad.name);
  Igptd igptd({"--log_level=trace"}, {"IGPT_API_KEY=" + Fill(kKeyCanary, token)});
  grpc::Status status;
  switch (bad.call) {
    case Call::kAsk:
    case Call::kWhole:
    case Call::kRun:
    case Call::kWholeRun: {
      grpc::ClientContext context;
      const auto set = [&]<typename Request>(Request& request) {
        const bool whole_answer = request.whole_answer();
        request = Build<Request>(bad, token);
        request.set_whole_answer(whole_answer);
        for (const auto& [field, value] : bad.fields) {
          if (field == "schema") request.mutable_output_format()->mutable_json_schema()->set_schema(Fill(value, token));
        }
      };
      status = MakeStreamCall(igptd, bad.call, context, set, [](const v1::RunEvent& /*event*/) { ADD_FAILURE(); });
      break;
    }
    case Call::kSearch:
      status = igptd.Search(Build<v1::SearchRequest>(bad, token)).status;
      break;
    case Call::kList:
      status = igptd.List(Build<v1::ListRequest>(bad, token)).status;
      break;
    case Call::kDisconnect:
      status = igptd.Disconnect(Build<v1::DisconnectRequest>(bad, token)).status;
      break;
    case Call::kAuthorize:
      status = igptd.Authorize(Build<v1::AuthorizeRequest>(bad, token)).status;
      break;
  }
  const Fault expected = {.name = bad.name,
                          .code = StatusCode::INVALID_ARGUMENT,
                          .reason = "INVALID_REQUEST",
                          .bad_fields = bad.bad_fields};
  ExpectEnd(expected, status);
  EXPECT_EQ(igptd.upstream.connections(), 0);
  ExpectCounted(igptd, {MethodName(bad.call) + " INVALID_ARGUMENT/INVALID_REQUEST"});
  igptd.Stop();
  ExpectLog(igptd, {"INVALID_ARGUMENT/INVALID_REQUEST"}, token);
}

// A prompt of this size, with canaries.
std::string OfSize(size_t size) {
  std::string text = kPromptCanary;
  text.resize(size, 'a');
  return text;
}

std::vector<BadRequest> BadRequests() {
  std::vector<BadRequest> all = {
      {1, "EmptyInput", Call::kAsk, {{"input", ""}}, {"input"}},
      {1, "EmptyInput_Whole", Call::kWhole, {{"input", ""}}, {"input"}},
      {1, "OversizeInput", Call::kAsk, {{"input", OfSize((1 << 20) + 1)}}, {"input"}},
      {1, "OversizeInstructions", Call::kRun, {{"instructions", OfSize((64 << 10) + 1)}}, {"instructions"}},
      {1, "OversizeEffort", Call::kWholeRun, {{"reasoning_effort", OfSize(1025)}}, {"reasoning_effort"}},
      {1,
       "ManyAtOnce_Run",
       Call::kRun,
       {{"user", ""},
        {"input", ""},
        {"quality", "a\nb"},
        {"reasoning_effort", "lo\x01w"},
        {"instructions", OfSize((64 << 10) + 1)}},
       {"user", "input", "quality", "reasoning_effort", "instructions"}},
      {1, "OversizeQuery", Call::kSearch, {{"query", OfSize((64 << 10) + 1)}}, {"query"}},
      {1, "OversizeUser", Call::kList, {{"user", OfSize(1025)}}, {"user"}},
      {1, "EmptyId", Call::kDisconnect, {{"id", ""}}, {"id"}},
      {1, "EmptyServiceAndScope", Call::kAuthorize, {{"service", ""}, {"scope", ""}}, {"service", "scope"}},
      {1, "SchemaThatIsNoJson", Call::kAsk, {{"schema", kPromptCanary}}, {"output_format.json_schema.schema"}},
      {1, "DateOfNoCalendar", Call::kSearch, {{"date_from", "2026-02-30"}}, {"date_from"}},
      {1, "ManyAtOnce", Call::kAsk, {{"user", ""}, {"input", ""}, {"quality", "a\nb"}}, {"user", "input", "quality"}},
  };
  const struct {
    Call call;
    const char* name;
    const char* field;
  } kNoUser[] = {{Call::kAsk, "Ask", ""},
                 {Call::kWhole, "AskWhole", ""},
                 {Call::kRun, "Run", "reasoning_effort"},
                 {Call::kSearch, "Search", ""},
                 {Call::kList, "List", ""},
                 {Call::kDisconnect, "Disconnect", "id"},
                 {Call::kAuthorize, "Authorize", "scope"}};
  constexpr char kNul = '\0';
  const std::pair<const char*, std::string> kControls[] = {
      {"Cr", "\r"}, {"Lf", "\n"}, {"Nul", std::string(1, kNul)}, {"HeaderInjection", "\r\nAuthorization: Bearer "}};
  // Of a user, which igptd compares byte for byte, not even these.
  const std::pair<const char*, const char*> kInvisible[] = {{"NextLine", "\xC2\x85"},
                                                            {"RightToLeftOverride", "\xE2\x80\xAE"},
                                                            {"ZeroWidthSpace", "\xE2\x80\x8B"},
                                                            {"TrailingSpace", " "}};
  for (const auto& [call, name, other_field] : kNoUser) {
    all.push_back({2, std::string("NoUser_") + name, call, {{"user", ""}}, {"user"}});
    for (const auto& [invisible, text] : kInvisible) {
      all.push_back(
          {3, std::string(invisible) + "_" + name, call, {{"user", kUserCanary + std::string(text)}}, {"user"}});
    }
    for (const auto& [control, text] : kControls) {
      const std::string value = kUserCanary + text + "x";
      BadRequest bad = {3, std::string(control) + "_" + name, call, {{"user", value}}, {"user"}};
      if (*other_field != '\0') {
        bad.fields.emplace_back(other_field, value);
        bad.bad_fields.emplace_back(other_field);
      }
      all.push_back(bad);
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Requests, RequestFaultTest, ::testing::ValuesIn(BadRequests()),
                         [](const auto& bad) { return "Row" + std::to_string(bad.param.row) + "_" + bad.param.name; });

const std::string kAnswer = R"({"output":"canary-answer-################"})";

// An input just within the limit is sent completely.
TEST(RequestFaultTest, Row1_TheLargestInputIsSent) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, kAnswer); });
  EXPECT_THAT(igptd.Ask(AskFor("ada", std::string(1 << 20, 'a'))).status, IsOkStatus());
  EXPECT_GT(igptd.upstream.requests().at(0).body.size(), 1U << 20);
}

TEST(RequestFaultTest, Row2_TheDefaultUserTakesTheUsersPlace) {
  Igptd igptd({"--default_user=ada"});
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
  v1::ListRequest request;
  request.set_include_raw(true);
  EXPECT_THAT(igptd.List(request).status, IsOkStatus());
  EXPECT_EQ(nlohmann::json::parse(igptd.upstream.requests().at(0).body)["user"], "ada");
}

// Line ends are legal in a prompt: they are sent in the body, escaped, and add no header.
TEST(RequestFaultTest, Row3_LineEndsInAPromptStayInTheBody) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, kAnswer); });
  const std::string prompt = std::string("a\r\nX-Injected: yes\r\n\r\n") + '\0' + "b";
  EXPECT_THAT(igptd.Ask(AskFor("ada", prompt)).status, IsOkStatus());
  const HttpRequest request = igptd.upstream.requests().at(0);
  EXPECT_FALSE(request.Header("X-Injected").has_value());
  EXPECT_EQ(nlohmann::json::parse(request.body)["input"], prompt);
  EXPECT_EQ(igptd.upstream.requests().size(), 1U);
}

// The only text of a caller that goes into a header. gRPC's own client refuses to send control characters in it.
TEST(RequestFaultTest, Row3_AHostileRequestIdIsReplaced) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
  v1::ListRequest request;
  request.set_user("ada");
  for (const std::string& id : {std::string("a b"), std::string("\"}{"), std::string(129, 'a'), std::string("a;b")}) {
    EXPECT_THAT(
        igptd.List(request, [&](grpc::ClientContext& context) { context.AddMetadata("x-request-id", id); }).status,
        IsOkStatus());
    EXPECT_EQ(igptd.upstream.requests().back().head.find(id), std::string::npos);
  }
  igptd.Stop();
  for (const nlohmann::json& line : igptd.CallLines()) EXPECT_EQ(line.value("request_id", "").size(), 32U);
}

}  // namespace
}  // namespace igpt::testing
