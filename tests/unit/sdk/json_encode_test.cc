#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "igpt/internal/call/endpoint.h"

namespace igpt::internal {
namespace {

AskRequest Ask(OutputFormat format) {
  AskRequest request;
  request.input = "hi";
  request.output_format = std::move(format);
  return request;
}

TEST(EncodeAsk, SendsWhatIsRequired) {
  AskRequest request;
  request.input = "What did Emma say?";
  EXPECT_EQ(Encode(request, "ada", true), R"({"input":"What did Emma say?","user":"ada","stream":true})");
  EXPECT_EQ(Encode(request, "ada", false), R"({"input":"What did Emma say?","user":"ada","stream":false})");
}

TEST(EncodeAsk, SendsEveryField) {
  AskRequest request = Ask({OutputFormat::Kind::kJson, {}, false, {}});
  request.user = "not this one";
  request.quality = "cef-1-high";
  request.include_raw = true;
  EXPECT_EQ(Encode(request, "ada", true),
            R"({"input":"hi","user":"ada","stream":true,"quality":"cef-1-high","output_format":"json"})");
}

TEST(EncodeRun, SendsEveryField) {
  RunRequest request;
  request.input = "hi";
  EXPECT_EQ(Encode(request, "ada", false), R"({"input":"hi","user":"ada","stream":false})");
  request.quality = "cef-1-high";
  request.output_format.kind = OutputFormat::Kind::kJson;
  request.reasoning_effort = "low";
  request.instructions = "In \"French\",\nbriefly.";
  EXPECT_EQ(Encode(request, "ada", true),
            R"({"input":"hi","user":"ada","stream":true,"quality":"cef-1-high","output_format":"json",)"
            R"("reasoning_effort":"low","instructions":"In \"French\",\nbriefly."})");
}

TEST(EncodeAsk, SendsASchemaAsItIsWritten) {
  using Kind = OutputFormat::Kind;
  const std::string schema = R"({ "b" : 1e400, "a":"\u00e9", "a":2 })";
  struct Case {
    OutputFormat format;
    std::string output_format;
  };
  const Case cases[] = {
      {{Kind::kJsonSchema, schema, false, ""}, R"({"schema":)" + schema + "}"},
      {{Kind::kJsonSchema, schema, true, ""}, R"({"strict":true,"schema":)" + schema + "}"},
      {{Kind::kJsonSchema, schema, false, "n\"1"},
       R"({"type":"json_schema","name":"n\"1","strict":false,"schema":)" + schema + "}"},
      {{Kind::kJsonSchema, schema, true, "n"},
       R"({"type":"json_schema","name":"n","strict":true,"schema":)" + schema + "}"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Encode(Ask(c.format), "ada", false),
              R"({"input":"hi","user":"ada","stream":false,"output_format":)" + c.output_format + "}");
  }
}

TEST(EncodeAsk, IgnoresASchemaThatIsNotAskedFor) {
  EXPECT_EQ(Encode(Ask({OutputFormat::Kind::kText, "{}", true, "n"}), "ada", false),
            R"({"input":"hi","user":"ada","stream":false})");
}

TEST(EncodeAsk, EscapesStrings) {
  AskRequest request;
  request.input = std::string("\"\\/\b\f\n\r\t\x01\x1F\x7F\0 \xC3\xBC\xF0\x9F\x98\x80", 19);
  EXPECT_EQ(Encode(request, "a\"b", true),
            "{\"input\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\\u0000 \xC3\xBC\xF0\x9F\x98\x80\","
            "\"user\":\"a\\\"b\",\"stream\":true}");
}

TEST(EncodeAsk, NeverThrows) {
  AskRequest request;
  request.input = "bad \xFF";
  EXPECT_EQ(Encode(request, "ada", true), "{\"input\":\"bad \xEF\xBF\xBD\",\"user\":\"ada\",\"stream\":true}");
}

TEST(EncodeSearch, LeavesOutWhatIsNotSet) {
  EXPECT_EQ(Encode(SearchRequest(), "ada"), R"({"user":"ada"})");
  SearchRequest request;
  request.user = "not this one";
  request.query = "notes";
  request.date_from = "2026-01-01";
  request.date_to = "2026-01-31";
  request.max_results = 25;
  request.filter_people = "Emma";
  EXPECT_EQ(Encode(request, "ada"),
            R"({"user":"ada","query":"notes","date_from":"2026-01-01","date_to":"2026-01-31","max_results":25,)"
            R"("filter_people":"Emma"})");
}

TEST(EncodeList, SendsTheUser) {
  EXPECT_EQ(Encode(ListRequest(), "ada"), R"({"user":"ada"})");
}

TEST(EncodeDisconnect, SendsUserAndId) {
  DisconnectRequest request;
  request.id = "spike/1/messages";
  EXPECT_EQ(Encode(request, "ada"), R"({"user":"ada","id":"spike/1/messages"})");
}

TEST(EncodeAuthorize, LeavesOutWhatIsNotSet) {
  AuthorizeRequest request;
  request.service = "spike";
  request.scope = "messages";
  EXPECT_EQ(Encode(request, "ada"), R"({"user":"ada","service":"spike","scope":"messages"})");
  request.redirect_uri = "https://app.example.com/done";
  request.state = "s1";
  EXPECT_EQ(Encode(request, "ada"),
            R"({"user":"ada","service":"spike","scope":"messages","redirect_uri":"https://app.example.com/done",)"
            R"("state":"s1"})");
}

}  // namespace
}  // namespace igpt::internal
