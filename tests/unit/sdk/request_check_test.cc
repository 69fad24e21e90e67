#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "igpt/internal/call/endpoint.h"

namespace igpt::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kSchema[] = "output_format.json_schema.schema";
constexpr char kNotUtf8[] = "SECRET \xC3(";

MATCHER_P2(Violates, field, words, "") {
  return arg.field == field && arg.description.find(words) != std::string::npos;
}

AskRequest GoodAsk() {
  AskRequest request;
  request.user = "u";
  request.input = "What is new?";
  return request;
}

RunRequest GoodRun() {
  RunRequest request;
  request.user = "u";
  request.input = "What is new?";
  return request;
}

SearchRequest GoodSearch() {
  SearchRequest request;
  request.user = "u";
  return request;
}

DisconnectRequest GoodDisconnect() {
  DisconnectRequest request;
  request.user = "u";
  request.id = "spike/1/messages";
  return request;
}

AuthorizeRequest GoodAuthorize() {
  AuthorizeRequest request;
  request.user = "u";
  request.service = "spike";
  request.scope = "messages contacts";
  return request;
}

// What is wrong with a request whose `field` is `value`.
template <typename Request, typename Value>
std::vector<FieldViolation> CheckWith(Request request, Value Request::*field, const Value& value) {
  request.*field = value;
  return Check(request, "");
}

OutputFormat JsonSchema(std::string schema, std::string name) {
  OutputFormat format;
  format.kind = OutputFormat::Kind::kJsonSchema;
  format.schema = std::move(schema);
  format.name = std::move(name);
  return format;
}

// A text field of a request, its rules, and how to check a value of it.
struct TextField {
  std::string name;
  size_t max_bytes;
  bool may_hold_control_characters;
  bool required;
  std::vector<FieldViolation> (*check)(const std::string& value);
};

std::vector<TextField> TextFields() {
  return {
      {"user", 1024, false, true, [](const auto& value) { return CheckWith({}, &ListRequest::user, value); }},
      {"user", 1024, false, true, [](const auto& value) { return Check(ListRequest(), value); }},
      {"input", 1 << 20, true, true, [](const auto& value) { return CheckWith(GoodAsk(), &AskRequest::input, value); }},
      {"quality", 1024, false, false,
       [](const auto& value) { return CheckWith(GoodAsk(), &AskRequest::quality, value); }},
      {"output_format.json_schema.name", 1024, false, false,
       [](const auto& value) { return CheckWith(GoodAsk(), &AskRequest::output_format, JsonSchema("{}", value)); }},
      {"input", 1 << 20, true, true, [](const auto& value) { return CheckWith(GoodRun(), &RunRequest::input, value); }},
      {"reasoning_effort", 1024, false, false,
       [](const auto& value) { return CheckWith(GoodRun(), &RunRequest::reasoning_effort, value); }},
      {"instructions", 64 << 10, true, false,
       [](const auto& value) { return CheckWith(GoodRun(), &RunRequest::instructions, value); }},
      {"query", 64 << 10, true, false,
       [](const auto& value) { return CheckWith(GoodSearch(), &SearchRequest::query, value); }},
      {"filter_people", 8192, true, false,
       [](const auto& value) { return CheckWith(GoodSearch(), &SearchRequest::filter_people, value); }},
      {"id", 1024, false, true,
       [](const auto& value) { return CheckWith(GoodDisconnect(), &DisconnectRequest::id, value); }},
      {"service", 1024, false, true,
       [](const auto& value) { return CheckWith(GoodAuthorize(), &AuthorizeRequest::service, value); }},
      {"scope", 1024, false, true,
       [](const auto& value) { return CheckWith(GoodAuthorize(), &AuthorizeRequest::scope, value); }},
      {"redirect_uri", 8192, false, false,
       [](const auto& value) { return CheckWith(GoodAuthorize(), &AuthorizeRequest::redirect_uri, value); }},
      {"state", 8192, true, false,
       [](const auto& value) { return CheckWith(GoodAuthorize(), &AuthorizeRequest::state, value); }},
  };
}

class TextFieldTest : public testing::TestWithParam<TextField> {};

TEST_P(TextFieldTest, MayHoldAnyUtf8) {
  EXPECT_THAT(GetParam().check("gr\xC3\xBC\xC3\x9F \xF0\x9F\x99\x82 \"'<>&%/?#"), IsEmpty());
}

TEST_P(TextFieldTest, IsRequiredOrNot) {
  if (GetParam().required) {
    EXPECT_THAT(GetParam().check(""), ElementsAre(Violates(GetParam().name, "must be set")));
  } else {
    EXPECT_THAT(GetParam().check(""), IsEmpty());
  }
}

TEST_P(TextFieldTest, HasALimit) {
  const size_t max = GetParam().max_bytes;
  EXPECT_THAT(GetParam().check(std::string(max - 1, 'x')), IsEmpty());
  EXPECT_THAT(GetParam().check(std::string(max, 'x')), IsEmpty());
  EXPECT_THAT(GetParam().check(std::string(max + 1, 'x')),
              ElementsAre(Violates(GetParam().name, "at most " + std::to_string(max) + " bytes")));
}

TEST_P(TextFieldTest, IsUtf8) {
  for (const char* value : {kNotUtf8, "SECRET \xFF", "SECRET \xED\xA0\x80", "SECRET \xC0\xAF", "SECRET \xE2\x82"}) {
    const auto violations = GetParam().check(value);
    EXPECT_THAT(violations, ElementsAre(Violates(GetParam().name, "UTF-8")));
    EXPECT_THAT(violations, ElementsAre(Not(Violates(GetParam().name, "SECRET"))));
  }
}

TEST_P(TextFieldTest, HoldsControlCharactersOrNot) {
  for (char control : {'\r', '\n', '\0', '\t', '\x1B', '\x7F'}) {
    const auto violations = GetParam().check(std::string("SECRET") + control);
    if (GetParam().may_hold_control_characters) {
      EXPECT_THAT(violations, IsEmpty());
    } else {
      EXPECT_THAT(violations, ElementsAre(Violates(GetParam().name, "control characters")));
      EXPECT_THAT(violations, ElementsAre(Not(Violates(GetParam().name, "SECRET"))));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fields, TextFieldTest, testing::ValuesIn(TextFields()));

// The request without its user.
template <typename Request>
Request Anonymous(Request request) {
  request.user.clear();
  return request;
}

TEST(UserTest, MayComeFromTheDefault) {
  EXPECT_THAT(Check(Anonymous(GoodAsk()), "default"), IsEmpty());
  EXPECT_THAT(Check(Anonymous(GoodRun()), "default"), IsEmpty());
  EXPECT_THAT(Check(Anonymous(GoodSearch()), "default"), IsEmpty());
  EXPECT_THAT(Check(ListRequest(), "default"), IsEmpty());
  EXPECT_THAT(Check(Anonymous(GoodDisconnect()), "default"), IsEmpty());
  EXPECT_THAT(Check(Anonymous(GoodAuthorize()), "default"), IsEmpty());
}

TEST(UserTest, IsRequiredWithoutADefault) {
  const auto no_user = ElementsAre(Violates("user", "no default user"));
  EXPECT_THAT(Check(Anonymous(GoodAsk()), ""), no_user);
  EXPECT_THAT(Check(Anonymous(GoodRun()), ""), no_user);
  EXPECT_THAT(Check(Anonymous(GoodSearch()), ""), no_user);
  EXPECT_THAT(Check(ListRequest(), ""), no_user);
  EXPECT_THAT(Check(Anonymous(GoodDisconnect()), ""), no_user);
  EXPECT_THAT(Check(Anonymous(GoodAuthorize()), ""), no_user);
}

TEST(UserTest, OfTheRequestComesBeforeTheDefault) {
  EXPECT_THAT(Check(GoodSearch(), "not\nused"), IsEmpty());
  EXPECT_THAT(CheckWith(GoodSearch(), &SearchRequest::user, std::string("a\nb")),
              ElementsAre(Violates("user", "control characters")));
}

TEST(UserTest, HoldsOnlyWhatCanBeSeen) {
  const auto check = [](const std::string& user) { return CheckWith(GoodSearch(), &SearchRequest::user, user); };
  for (const char* good : {"ada", "ada@example.com", "Ada Lovelace", "a  b", "\xC3\xA9", "e\xCC\x81", "\xE7\x8E\x8B",
                           "\xD8\xA7\xD8\xAD", "\xC2\xA1", "\xE2\x80\x90", "\xE2\x80\xA7", "\xF0\x9F\x99\x82",
                           "\xEF\xBF\xBD", "\xEE\x80\x80", "\xF4\x8F\xBF\xBD"}) {
    EXPECT_THAT(check(good), IsEmpty()) << good;
  }
  for (const char* space : {" ada", "ada ", " ", "  "}) {
    EXPECT_THAT(check(space), ElementsAre(Violates("user", "must not begin or end with a space"))) << space;
  }
  const struct {
    const char* what;
    const char* text;
  } kInvisible[] = {{"NEXT LINE", "\xC2\x85"},
                    {"NO-BREAK SPACE", "\xC2\xA0"},
                    {"SOFT HYPHEN", "\xC2\xAD"},
                    {"COMBINING GRAPHEME JOINER", "\xCD\x8F"},
                    {"ARABIC LETTER MARK", "\xD8\x9C"},
                    {"HANGUL CHOSEONG FILLER", "\xE1\x85\x9F"},
                    {"MONGOLIAN VOWEL SEPARATOR", "\xE1\xA0\x8E"},
                    {"EN QUAD", "\xE2\x80\x80"},
                    {"ZERO WIDTH SPACE", "\xE2\x80\x8B"},
                    {"ZERO WIDTH JOINER", "\xE2\x80\x8D"},
                    {"RIGHT-TO-LEFT MARK", "\xE2\x80\x8F"},
                    {"LINE SEPARATOR", "\xE2\x80\xA8"},
                    {"RIGHT-TO-LEFT OVERRIDE", "\xE2\x80\xAE"},
                    {"WORD JOINER", "\xE2\x81\xA0"},
                    {"FIRST STRONG ISOLATE", "\xE2\x81\xA8"},
                    {"BRAILLE PATTERN BLANK", "\xE2\xA0\x80"},
                    {"IDEOGRAPHIC SPACE", "\xE3\x80\x80"},
                    {"HANGUL FILLER", "\xE3\x85\xA4"},
                    {"VARIATION SELECTOR-16", "\xEF\xB8\x8F"},
                    {"ZERO WIDTH NO-BREAK SPACE", "\xEF\xBB\xBF"},
                    {"a noncharacter", "\xEF\xBF\xBF"},
                    {"MUSICAL SYMBOL BEGIN BEAM", "\xF0\x9D\x85\xB3"},
                    {"TAG LATIN SMALL LETTER A", "\xF3\xA0\x81\xA1"},
                    {"the last noncharacter", "\xF4\x8F\xBF\xBF"}};
  for (const auto& test : kInvisible) {
    for (const std::string& user :
         {std::string("ada") + test.text, test.text + std::string("ada"), std::string("a") + test.text + "da"}) {
      EXPECT_THAT(check(user), ElementsAre(Violates("user", "can't be seen"))) << test.what;
      EXPECT_FALSE(ValidateUser(user).ok()) << test.what;
    }
  }
  EXPECT_TRUE(ValidateUser("ada").ok());
  EXPECT_FALSE(ValidateUser("").ok());
}

TEST(CheckTest, ReportsEveryViolationInTheOrderOfTheFields) {
  AskRequest ask;
  ask.quality = "a\nb";
  ask.output_format = JsonSchema("", "c\rd");
  EXPECT_THAT(Check(ask, ""), ElementsAre(Violates("user", ""), Violates("input", ""), Violates("quality", ""),
                                          Violates(kSchema, ""), Violates("output_format.json_schema.name", "")));
  RunRequest run;
  run.quality = run.reasoning_effort = "a\nb";
  run.output_format = JsonSchema("", "c\rd");
  run.instructions = kNotUtf8;
  EXPECT_THAT(Check(run, ""), ElementsAre(Violates("user", ""), Violates("input", ""), Violates("quality", ""),
                                          Violates(kSchema, ""), Violates("output_format.json_schema.name", ""),
                                          Violates("reasoning_effort", ""), Violates("instructions", "")));
  SearchRequest search;
  search.query = search.filter_people = kNotUtf8;
  search.date_from = search.date_to = "x";
  search.max_results = -1;
  EXPECT_THAT(Check(search, ""),
              ElementsAre(Violates("user", ""), Violates("query", ""), Violates("date_from", ""),
                          Violates("date_to", ""), Violates("max_results", ""), Violates("filter_people", "")));
  EXPECT_THAT(Check(DisconnectRequest(), ""), ElementsAre(Violates("user", ""), Violates("id", "")));
  AuthorizeRequest authorize;
  authorize.redirect_uri = "a\nb";
  authorize.state = kNotUtf8;
  EXPECT_THAT(Check(authorize, ""), ElementsAre(Violates("user", ""), Violates("service", ""), Violates("scope", ""),
                                                Violates("redirect_uri", ""), Violates("state", "")));
}

TEST(CheckTest, ReportsEveryRuleThatAFieldBreaks) {
  EXPECT_THAT(Check(ListRequest(), std::string(1025, '\xFF') + "\n"),
              ElementsAre(Violates("user", "at most"), Violates("user", "UTF-8"), Violates("user", "control")));
}

TEST(SchemaTest, IsOneJsonObjectOfLimitedSize) {
  const auto check = [](const std::string& schema) {
    return CheckWith(GoodAsk(), &AskRequest::output_format, JsonSchema(schema, ""));
  };
  const std::string frame = R"({"title":""})";
  const auto sized = [&frame](size_t size) {
    return R"({"title":")" + std::string(size - frame.size(), 'x') + R"("})";
  };
  EXPECT_THAT(check("{}"), IsEmpty());
  EXPECT_THAT(check(R"({"type":"object","properties":{"a":{"type":"string"}}})"), IsEmpty());
  EXPECT_THAT(check(sized(kMaxSchemaBytes)), IsEmpty());
  EXPECT_THAT(check(sized(kMaxSchemaBytes + 1)), ElementsAre(Violates(kSchema, "at most 262144 bytes")));
  EXPECT_THAT(check(""), ElementsAre(Violates(kSchema, "must be set")));
  for (const char* schema : {" ", "[]", "7", "\"{}\"", "{", "{} {}", "{\"a\":}", "null", "{\"a\":\"\xFF\"}"}) {
    EXPECT_THAT(check(schema), ElementsAre(Violates(kSchema, "must be"))) << schema;
  }
}

TEST(SchemaTest, CountsForJsonSchemaOnly) {
  OutputFormat format = JsonSchema("not JSON", "a\nb");
  for (OutputFormat::Kind kind : {OutputFormat::Kind::kText, OutputFormat::Kind::kJson}) {
    format.kind = kind;
    EXPECT_THAT(CheckWith(GoodAsk(), &AskRequest::output_format, format), IsEmpty());
  }
}

std::vector<FieldViolation> CheckDates(std::string from, std::string to) {
  SearchRequest request = GoodSearch();
  request.date_from = std::move(from);
  request.date_to = std::move(to);
  return Check(request, "");
}

TEST(DateTest, IsADayOfTheCalendar) {
  for (const char* day : {"", "2024-01-01", "2024-12-31", "2024-02-29", "2000-02-29", "1970-01-01", "9999-12-31"}) {
    EXPECT_THAT(CheckDates(day, ""), IsEmpty()) << day;
    EXPECT_THAT(CheckDates("", day), IsEmpty()) << day;
  }
  for (const char* day : {"2023-02-29",  "1900-02-29",  "2024-02-30",  "2024-04-31",
                          "2024-13-01",  "2024-00-10",  "2024-01-00",  "2024-01-32",
                          "2024-1-1",    "24-01-01",    "20240101",    "2024/01/01",
                          "01-01-2024",  "2024-01-01 ", " 2024-01-01", "2024-01-01T00:00:00Z",
                          "+024-01-01",  "2024--1-01",  "2024-01- 1",  "-999-01-01",
                          "12024-01-01", "0000-01-01",  "today",       "-",
                          "2024-01-0\n"}) {
    EXPECT_THAT(CheckDates(day, ""), ElementsAre(Violates("date_from", "YYYY-MM-DD"))) << day;
    EXPECT_THAT(CheckDates("", day), ElementsAre(Violates("date_to", "YYYY-MM-DD"))) << day;
  }
}

TEST(DateTest, ComesInOrder) {
  EXPECT_THAT(CheckDates("2024-01-01", "2024-01-01"), IsEmpty());
  EXPECT_THAT(CheckDates("2023-12-31", "2024-01-01"), IsEmpty());
  EXPECT_THAT(CheckDates("2024-01-02", "2024-01-01"), ElementsAre(Violates("date_to", "before date_from")));
  EXPECT_THAT(CheckDates("2024-01-02", "nonsense"), ElementsAre(Violates("date_to", "YYYY-MM-DD")));
}

TEST(MaxResultsTest, IsNotNegative) {
  for (int max_results : {0, 1, 50, 1 << 30}) {
    EXPECT_THAT(CheckWith(GoodSearch(), &SearchRequest::max_results, max_results), IsEmpty());
  }
  EXPECT_THAT(CheckWith(GoodSearch(), &SearchRequest::max_results, -1),
              ElementsAre(Violates("max_results", "negative")));
}

std::vector<FieldViolation> CheckHeader(std::string name, std::string value) {
  CallOptions options;
  options.headers = {{"traceparent", "00-1"}, {std::move(name), std::move(value)}};
  return Check(options);
}

TEST(CallOptionsTest, MayBeEmpty) {
  EXPECT_THAT(Check(CallOptions()), IsEmpty());
}

TEST(CallOptionsTest, AKeyIsVisibleAscii) {
  CallOptions options;
  options.api_key = "ak:key-1";
  EXPECT_THAT(Check(options), IsEmpty());
  for (const char* key : {" ", "ak:key ", "ak:key\r\nX: y", "ak:\xC3\xA4"}) {
    options.api_key = key;
    EXPECT_THAT(Check(options), ElementsAre(Violates("api_key", "visible ASCII"))) << key;
  }
}

TEST(CallOptionsTest, ATraceparentIsOfVersion00) {
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  CallOptions options;
  options.traceparent = good;
  EXPECT_THAT(Check(options), IsEmpty());
  for (const std::string& bad :
       {std::string("x"), "01" + good.substr(2), good + "-", good.substr(1),
        "00-0AF7651916CD43DD8448EB211C80319C" + good.substr(35), "00-" + std::string(32, '0') + good.substr(35),
        good.substr(0, 36) + std::string(16, '0') + "-01", good.substr(0, 54) + "\n"}) {
    options.traceparent = bad;
    EXPECT_THAT(Check(options), ElementsAre(Violates("traceparent", "version 00"))) << bad;
  }
  options.traceparent = good;
  options.headers = {{"Traceparent", good}};
  EXPECT_THAT(Check(options), ElementsAre(Violates("traceparent", "remove one of them")));
}

TEST(CallOptionsTest, HeaderNamesAreTokens) {
  for (const char* name : {"traceparent", "X-1", "!#$%&'*+-.^_`|~", "a"}) {
    EXPECT_THAT(CheckHeader(name, "x"), IsEmpty()) << name;
  }
  for (const char* name : {"", "X Y", "X:", ":x", "X\r\nY", "X\xC3\xA4", "X/", "X(", "\"X\"", "X\x7F"}) {
    EXPECT_THAT(CheckHeader(name, "x"), ElementsAre(Violates("headers", "header 2 has a name"))) << name;
  }
  EXPECT_THAT(CheckHeader(std::string("X\0Y", 3), "x"), ElementsAre(Violates("headers", "header 2 has a name")));
}

TEST(CallOptionsTest, HeaderValuesAreVisibleAscii) {
  for (const char* value :
       {"x", "a b", "text/plain; q=\"1\"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    EXPECT_THAT(CheckHeader("X-A", value), IsEmpty()) << value;
  }
  for (const char* value :
       {"", " ", " SECRET", "SECRET ", "SECRET\r\nX: y", "SECRET\n", "SECRET\t", "SECRET\x7F", "SECRET\xC3\xA4"}) {
    const auto violations = CheckHeader("X-A", value);
    EXPECT_THAT(violations, ElementsAre(Violates("headers", "header 2 (X-A) has a value"))) << value;
    EXPECT_THAT(violations, ElementsAre(Not(Violates("headers", "SECRET"))));
  }
  EXPECT_THAT(CheckHeader("X-A", std::string("a\0b", 3)),
              ElementsAre(Violates("headers", "header 2 (X-A) has a value")));
}

TEST(CallOptionsTest, TheLibrarysOwnHeadersCannotBeSet) {
  for (const char* name :
       {"Authorization", "authorization", "CONTENT-LENGTH", "Content-Type", "Transfer-Encoding", "Host", "Connection",
        "Upgrade", "Trailer", "Accept", "Accept-Encoding", "Expect", "User-Agent", "X-Client"}) {
    EXPECT_THAT(CheckHeader(name, "x"), ElementsAre(Violates("headers", "sets itself"))) << name;
  }
}

TEST(CallOptionsTest, EveryBadHeaderIsReported) {
  CallOptions options;
  options.api_key = " ";
  options.headers = {{"", ""}, {"X-A", "x"}, {"Host", "x"}};
  EXPECT_THAT(Check(options),
              ElementsAre(Violates("api_key", ""), Violates("headers", "header 1 has a name"),
                          Violates("headers", "header 1 has a value"), Violates("headers", "header 3 (Host) is")));
}

}  // namespace
}  // namespace igpt::internal
