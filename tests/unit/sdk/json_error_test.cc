// Errors of decoding: the same for events and for every kind of answer, but for what is not JSON at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "igpt/error.h"
#include "igpt/internal/json/codec.h"
#include "igpt/options.h"

namespace igpt::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Decoder {
  std::string_view name;
  absl::Status (*decode)(const std::string& text);
  std::string_view not_json;  // the kind of error for that
};

constexpr Decoder kDecoders[] = {
    {"event", [](const std::string& text) { return DecodeRunEvent(text, "", {}).status(); }, "malformed"},
    {"ask", [](const std::string& text) { return DecodeAnswer(text, {}).status(); }, "protocol"},
    {"search", [](const std::string& text) { return DecodeSearch(text, false).status(); }, "protocol"},
    {"list", [](const std::string& text) { return DecodeList(text, false).status(); }, "protocol"},
    {"disconnect", [](const std::string& text) { return DecodeDisconnect(text, false).status(); }, "protocol"},
    {"authorize", [](const std::string& text) { return DecodeAuthorize(text, false).status(); }, "protocol"},
};

// "kind" or "kind:api_code" of the error; its message must not hold any of the text.
std::string Describe(const absl::Status& status) {
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
  const std::optional<Error> error = ErrorOf(status);
  if (!error) return status.ToString();
  const std::string kind(ErrorKindName(error->kind));
  return error->api_code.empty() ? kind : kind + ':' + error->api_code;
}

std::string Nested(int depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(DecodeErrors, ReportIgptsOwn) {
  struct Case {
    std::string text;
    std::string error;
  };
  const std::string longest(64, 'x');
  const Case cases[] = {
      {R"({"error":"auth"})", "auth"},
      {R"({"error":"params"})", "params"},
      {R"({"error":"quota_exceeded"})", "api:quota_exceeded"},
      {R"({"error":"v1.Bad-2"})", "api:v1.Bad-2"},
      {R"({"error":"Auth"})", "api:Auth"},
      {R"({"error":")" + longest + R"("})", "api:" + longest},
      {R"({"error":")" + longest + R"(x"})", "api:unrecognized"},
      {R"({"error":"the secret is out"})", "api:unrecognized"},
      {R"({"error":"s\u00e9cret"})", "api:unrecognized"},
      {R"({"error":"\ud83d"})", "api:unrecognized"},
      {R"({"error":5})", "api:unrecognized"},
      {R"({"error":-0.1})", "api:unrecognized"},
      {R"({"error":true})", "api:unrecognized"},
      {R"({"error":{"code":"auth"}})", "auth"},
      {R"({"error":{"code":"quota","message":"secret"}})", "api:quota"},
      {R"({"error":{"code":"the secret"}})", "api:unrecognized"},
      {R"({"error":{"message":"secret"}})", "api:unrecognized"},
      {R"({"error":["auth"]})", "api:unrecognized"},
      {R"( {"type":"run.done","output":"secret","error":"auth","more":[]} )", "auth"},
      {R"({"results":[{"id":"secret"}],"error":"params","datasources":[],"url":"secret"})", "params"},
      {R"({"error":null,"\u0065rror":"auth"})", "auth"},
  };
  for (const Decoder& decoder : kDecoders) {
    for (const Case& c : cases) EXPECT_EQ(Describe(decoder.decode(c.text)), c.error) << decoder.name << " " << c.text;
  }
}

TEST(DecodeErrors, AreNotBelievedInMalformedText) {
  for (const Decoder& decoder : kDecoders) {
    for (const std::string text :
         {R"({"error":"auth")", R"({"error":"auth","more":nul})", R"({"error":"auth"}})", R"({"error":"auth"} {})"}) {
      EXPECT_EQ(Describe(decoder.decode(text)), decoder.not_json) << decoder.name << " " << text;
    }
    EXPECT_EQ(Describe(decoder.decode("{\"error\":\"auth\",\"more\":\"\xFF\"}")), "malformed") << decoder.name;
    EXPECT_EQ(Describe(decoder.decode("{\"error\":\"auth\",\"more\":" + Nested(kMaxJsonDepth) + "}")), "malformed")
        << decoder.name;
  }
}

TEST(DecodeErrors, NullAndWhatIsEmptyIsNone) {
  for (const std::string error : {"null", R"("")", "false", "0", "-0.0", "0e5", "{}", "[]", "[ ]"}) {
    const std::string text = R"({"error":)" + error + R"(,"output":1,"results":[],"datasources":[],"url":"u"})";
    for (const Decoder& decoder : kDecoders) {
      EXPECT_EQ(decoder.decode(text), absl::OkStatus()) << decoder.name << " " << text;
    }
  }
  const std::string twice = R"({"error":"auth","error":null,"output":1,"results":[],"datasources":[],"url":"u"})";
  for (const Decoder& decoder : kDecoders) {
    EXPECT_EQ(decoder.decode(twice), absl::OkStatus()) << decoder.name;
  }
}

TEST(DecodeErrors, TellWhatIsNotJson) {
  for (const Decoder& decoder : kDecoders) {
    for (const std::string text :
         {"", " \n", "[DONE]", "secret", R"({"secret":})", R"({"output":"secret"} x)", "{\"url\":\"secret\n\"}", "[1,",
          R"({"seq":01,"url":"secret"})", R"({"more":{"secret":[1,}})", R"({"results":[{"id":}]})",
          "<html>secret</html>", R"({"datasources":[{"progress":.5}]})", R"({"url":"\x"})"}) {
      EXPECT_EQ(Describe(decoder.decode(text)), decoder.not_json) << decoder.name << " " << text;
    }
  }
}

TEST(DecodeErrors, TellWhatIsNotUtf8) {
  for (const Decoder& decoder : kDecoders) {
    for (const std::string text : {"\xFF", "{\"url\":\"secret\xC3\"}", "{\"\xED\xA0\x80\":1}",
                                   "[{\"id\":\"\xC0\xAF\"}]", "{\"output\":\"\xE2\x82"}) {
      EXPECT_EQ(Describe(decoder.decode(text)), "malformed") << decoder.name << " " << testing::PrintToString(text);
    }
  }
}

TEST(DecodeErrors, TellThatAnEventsNameIsNotUtf8) {
  const auto describe = [](const std::string& data) {
    return Describe(DecodeRunEvent(data, "secret\xFF", {}).status());
  };
  EXPECT_EQ(describe(R"({"delta":"x"})"), "malformed");
  EXPECT_EQ(describe(R"({"type":"chunk","delta":"x"})"), "malformed");
  EXPECT_EQ(describe(R"({"error":"auth"})"), "auth");
}

TEST(DecodeErrors, TellWhatIsTooDeep) {
  const std::string fits = Nested(kMaxJsonDepth - 1);
  const std::string too_deep = Nested(kMaxJsonDepth);
  const std::string tail = R"(,"output":1,"results":[],"datasources":[],"url":"u"})";
  for (const Decoder& decoder : kDecoders) {
    EXPECT_EQ(decoder.decode("{\"more\":" + fits + tail), absl::OkStatus()) << decoder.name;
    EXPECT_EQ(Describe(decoder.decode("{\"more\":" + too_deep + tail)), "malformed") << decoder.name;
    for (const std::string key : {"error", "item", "output", "usage", "results", "datasources", "url"}) {
      EXPECT_EQ(Describe(decoder.decode("{\"" + key + "\":" + too_deep + "}")), "malformed") << decoder.name << key;
    }
    EXPECT_EQ(Describe(decoder.decode(Nested(kMaxJsonDepth + 1))), "malformed") << decoder.name;
  }
}

// Structs take more memory than their text: a short one must not fill it.
TEST(DecodeErrors, TellWhatIsTooLong) {
  const auto list = [](size_t items) {
    std::string text = "[";
    for (size_t i = 0; i < items; ++i) text += "0,";
    text.back() = ']';
    return text;
  };
  const std::string fits = list(100'000);
  const std::string too_long = list(100'001);
  EXPECT_EQ(DecodeSearch(fits, false).status(), absl::OkStatus());
  EXPECT_EQ(Describe(DecodeSearch(too_long, false).status()), "too_large");
  EXPECT_EQ(Describe(DecodeSearch("{\"results\":" + too_long + "}", false).status()), "too_large");
  EXPECT_EQ(DecodeList(fits, false).status(), absl::OkStatus());
  EXPECT_EQ(Describe(DecodeList(too_long, false).status()), "too_large");
  const std::string run_start = R"({"type":"run.start","context":{"datasources":)";
  EXPECT_EQ(DecodeRunEvent(run_start + fits + "}}", "", {}).status(), absl::OkStatus());
  EXPECT_EQ(Describe(DecodeRunEvent(run_start + too_long + "}}", "", {}).status()), "too_large");
  // Lists that nothing is made of may be of any length.
  EXPECT_EQ(DecodeRunEvent(R"({"output":)" + too_long + "}", "", {}).status(), absl::OkStatus());
  EXPECT_EQ(DecodeAnswer(too_long, {}).status(), absl::OkStatus());
}

}  // namespace
}  // namespace igpt::internal
