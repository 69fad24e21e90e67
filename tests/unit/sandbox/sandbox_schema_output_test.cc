#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "service/sandbox/schema_merge.h"
#include "service/sandbox/schema_output.h"
#include "service/sandbox/string_pattern.h"

namespace igptd::sandbox {
namespace {

const std::vector<Message>& Messages() {
  static const auto& messages = *new std::vector<Message>{
      {"m01",
       "t-pie",
       "2026-02-03T10:20:30Z",
       "Ann Berg <ann@example.com>",
       {"Bo Chan <bo@example.org>"},
       "Pie plan",
       "We bake. The pie costs 1,250 euros.",
       {}},
      {"m02",
       "t-tea",
       "2026-12-28T00:00:00Z",
       "Bo Chan <bo@example.org>",
       {"Ann Berg <ann@example.com>"},
       "Tee für alle",
       "Tea is ready.",
       {}},
  };
  return messages;
}

Findings Found() {
  return {"the pie", true, true, {&Messages()[0], &Messages()[1]}};
}

struct Case {
  std::string name;
  std::string schema;
  std::string instance;
};

class SchemaOutputTest : public ::testing::TestWithParam<Case> {};

TEST_P(SchemaOutputTest, Fits) {
  const std::optional<Json> schema = ParseObject(GetParam().schema);
  ASSERT_TRUE(schema.has_value());
  EXPECT_EQ(Dump(SchemaOutput(*schema, Found())), Dump(Json::parse(GetParam().instance)));
}

std::string NameOfCase(const ::testing::TestParamInfo<Case>& test) {
  return test.param.name;
}

INSTANTIATE_TEST_SUITE_P(Types, SchemaOutputTest,
                         ::testing::Values(Case{"Boolean", R"({"type": "boolean"})", "true"},
                                           Case{"Null", R"({"type": "null"})", "null"},
                                           Case{"String", R"({"type": "string"})", R"("The pie costs 1,250 euros.")"},
                                           Case{"Integer", R"({"type": "integer"})", "1"},
                                           Case{"Number", R"({"type": "number"})", "1"},
                                           Case{"Object", R"({"type": "object"})", "{}"},
                                           Case{"NullableIsTheOther", R"({"type": ["null", "integer"]})", "1"},
                                           Case{"OnlyNull", R"({"type": ["null"]})", "null"},
                                           Case{"FromProperties", R"({"properties": {"id": {}}})", R"({"id": "m01"})"},
                                           Case{"FromItems", R"({"items": {"type": "null"}})", "[null, null]"},
                                           Case{"FromMinimum", R"({"minimum": 7})", "7"},
                                           Case{"NoneIsAString", R"({})", R"("The pie costs 1,250 euros.")"},
                                           Case{"Const", R"({"const": {"a": [1]}})", R"({"a": [1]})"},
                                           Case{"Enum", R"({"enum": ["x", "y"]})", R"("x")"},
                                           Case{"EnumOfTheType", R"({"type": "integer", "enum": ["x", 2, 3.5]})", "2"},
                                           Case{"EnumOfNullIfNeedBe", R"({"enum": [null]})", "null"},
                                           Case{"EnumNotNullIfThereIsMore",
                                                R"({"type": ["string", "null"], "enum": [null, "x"]})", R"("x")"}),
                         NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    Objects, SchemaOutputTest,
    ::testing::Values(
        Case{"KeepsTheOrderAndFillsAll",
             R"({"type": "object", "properties": {"b": {"const": 1}, "a": {"const": 2}}, "required": ["a"],
                 "additionalProperties": false})",
             R"({"b": 1, "a": 2})"},
        Case{"RequiredBeyondProperties",
             R"({"type": "object", "required": ["x"], "additionalProperties": {"const": 5}})", R"({"x": 5})"},
        Case{"RequiredBeyondAnything", R"({"required": ["thread_id"]})", R"({"thread_id": "t-pie"})"},
        Case{"MinProperties", R"({"type": "object", "minProperties": 2, "properties": {"a": {"const": 1}},
                                  "additionalProperties": {"type": "boolean"}})",
             R"({"a": 1, "extra_1": true})"},
        Case{"MaxPropertiesKeepsTheRequired",
             R"({"type": "object", "maxProperties": 2, "required": ["c"],
                 "properties": {"a": {"const": 1}, "b": {"const": 2}, "c": {"const": 3}}})",
             R"({"a": 1, "c": 3})"},
        Case{"ForbiddenProperty", R"({"properties": {"a": false, "b": true}})",
             R"({"b": "The pie costs 1,250 euros."})"},
        Case{"Nested", R"({"properties": {"o": {"type": "object", "properties": {"id": {"type": "string"}}}}})",
             R"({"o": {"id": "m01"}})"}),
    NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    Arrays, SchemaOutputTest,
    ::testing::Values(
        Case{"AnItemForEachMessage", R"({"type": "array", "items": {"properties": {"id": {}}}})",
             R"([{"id": "m01"}, {"id": "m02"}])"},
        Case{"MinItems", R"({"type": "array", "items": {"const": 1}, "minItems": 4})", "[1, 1, 1, 1]"},
        Case{"MaxItems", R"({"type": "array", "items": {"const": 1}, "maxItems": 1})", "[1]"},
        Case{"NoItems", R"({"type": "array", "maxItems": 0})", "[]"},
        Case{"UniqueItems", R"({"type": "array", "items": {"const": 1}, "uniqueItems": true})", "[1]"},
        Case{
            "UniqueStrings", R"({"type": "array", "items": {"type": "string"}, "uniqueItems": true, "minItems": 4})",
            R"x(["The pie costs 1,250 euros.", "Tea is ready.", "The pie costs 1,250 euros. (2)", "Tea is ready. (2)"])x"},
        Case{"UniqueNumbers", R"({"type": "array", "items": {"type": "integer", "maximum": 3}, "uniqueItems": true,
                                  "minItems": 3})",
             "[1, 2, 3]"},
        Case{"UniqueEnum",
             R"({"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": true, "minItems": 3})",
             R"(["a", "b", "c"])"},
        Case{"Tuple", R"({"type": "array", "prefixItems": [{"type": "boolean"}, {"const": 2}, {"const": 3}],
                          "items": false})",
             "[true, 2, 3]"},
        Case{"TupleAsBefore2020", R"({"type": "array", "items": [{"const": 1}], "additionalItems": {"const": 2},
                                      "minItems": 3})",
             "[1, 2, 2]"},
        Case{"Contains", R"({"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 9}})", "[9, 1]"}),
    NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    Combinations, SchemaOutputTest,
    ::testing::Values(
        Case{"AllOf", R"({"allOf": [{"properties": {"a": {"type": "integer", "minimum": 2}}, "required": ["a"]},
                                    {"properties": {"a": {"minimum": 5}, "b": {"const": 1}}, "required": ["b"]}]})",
             R"({"a": 5, "b": 1})"},
        Case{"AllOfNarrowsTypes", R"({"allOf": [{"type": ["string", "number"]}, {"type": ["integer", "null"]}]})", "1"},
        Case{"AllOfNarrowsEnums", R"({"allOf": [{"enum": [1, 2, 3]}, {"enum": [3, 2]}]})", "2"},
        Case{"AnyOfFirst", R"({"anyOf": [{"const": 1}, {"const": 2}]})", "1"},
        Case{"AnyOfNotNull", R"({"anyOf": [{"type": "null"}, {"const": 2}]})", "2"},
        Case{"AnyOfNothingButNull", R"({"anyOf": [{"type": "null"}]})", "null"},
        Case{"OneOfWithSiblings", R"({"type": "object", "properties": {"a": {"const": 1}},
                                      "oneOf": [{"required": ["b"]}, {"required": ["c"]}],
                                      "additionalProperties": {"const": 7}})",
             R"({"a": 1, "b": 7})"},
        Case{"RefIntoDefs", R"({"$ref": "#/$defs/x", "$defs": {"x": {"type": "boolean"}}})", "true"},
        Case{"RefIntoDefinitions",
             R"({"properties": {"p": {"$ref": "#/definitions/a~1b%25"}}, "definitions": {"a/b%": {"const": 1}}})",
             R"({"p": 1})"},
        Case{"RefWithSiblings", R"({"$ref": "#/$defs/x", "minimum": 5, "$defs": {"x": {"type": "integer"}}})", "5"},
        Case{"RefThroughAList", R"({"properties": {"p": {"$ref": "#/oneOf/1"}}, "oneOf": [{}, {"const": 4}]})",
             R"({"p": 4})"},
        Case{"RefToNowhere", R"({"$ref": "#/$defs/none", "type": "boolean"})", "true"},
        Case{"RefElsewhere", R"({"$ref": "https://example.com/x.json", "type": "boolean"})", "true"},
        Case{"RefToItselfForEver", R"({"$ref": "#"})", R"("The pie costs 1,250 euros.")"},
        Case{"AllOfItselfForEver", R"({"type": "boolean", "allOf": [{"$ref": "#"}, {"$ref": "#"}]})", "true"}),
    NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    Numbers, SchemaOutputTest,
    ::testing::Values(
        Case{"Minimum", R"({"type": "integer", "minimum": 3})", "3"},
        Case{"Maximum", R"({"type": "integer", "maximum": -3})", "-3"},
        Case{"FractionalMinimum", R"({"type": "integer", "minimum": 2.5})", "3"},
        Case{"ExclusiveMinimum", R"({"type": "integer", "exclusiveMinimum": 1})", "2"},
        Case{"ExclusiveMaximum", R"({"type": "integer", "exclusiveMaximum": 1})", "0"},
        Case{"ExclusiveFractions", R"({"type": "integer", "exclusiveMinimum": 2.5, "exclusiveMaximum": 4})", "3"},
        Case{"ExclusiveAsBefore2019",
             R"({"type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 3, "exclusiveMaximum": true})",
             "2"},
        Case{"BetweenCloseBounds", R"({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5})", "0.25"},
        Case{"MultipleOf", R"({"type": "integer", "multipleOf": 7, "minimum": 8})", "14"},
        Case{"SmallMultipleOf", R"({"type": "number", "multipleOf": 0.25, "maximum": 0.6})", "0.5"},
        Case{"Amount", R"({"properties": {"amount": {"type": "number"}}})", R"({"amount": 1250})"},
        Case{"Confidence", R"({"properties": {"confidence": {"type": "number"}}})", R"({"confidence": 0.9})"},
        Case{"IntegerWithFractionalMultipleOf", R"({"type": "integer", "multipleOf": 1.5, "minimum": 2.5})", "3"},
        Case{"IntegerWithSmallMultipleOf", R"({"type": "integer", "multipleOf": 0.1, "minimum": 2.5})", "3"},
        Case{"HugeMinimum", R"({"type": "integer", "minimum": 1e300})", "1e300"}),
    NameOfCase);

// No double holds 2^53 + 1, nor most whole numbers beyond.
INSTANTIATE_TEST_SUITE_P(
    LargeNumbers, SchemaOutputTest,
    ::testing::Values(
        Case{"Minimum", R"({"type": "integer", "minimum": 9007199254740993})", "9007199254740993"},
        Case{"MinimumOfANumber", R"({"type": "number", "minimum": 9007199254740993})", "9007199254740993"},
        Case{"MinimumWithoutAType", R"({"minimum": 9007199254740993})", "9007199254740993"},
        Case{"Maximum", R"({"type": "integer", "maximum": -9007199254740993})", "-9007199254740993"},
        Case{"ExclusiveMinimum", R"({"type": "integer", "exclusiveMinimum": 9007199254740992})", "9007199254740993"},
        Case{"ExclusiveMinimumOfANumber", R"({"exclusiveMinimum": 9007199254740992})", "9007199254740993"},
        Case{"ExclusiveMaximum", R"({"type": "integer", "exclusiveMaximum": -9007199254740992})", "-9007199254740993"},
        Case{"ExclusiveMaximumOfANumber", R"({"exclusiveMaximum": -9007199254740992})", "-9007199254740993"},
        Case{"ExclusiveAsBefore2019", R"({"type": "integer", "minimum": 9007199254740992, "exclusiveMinimum": true})",
             "9007199254740993"},
        Case{"OneValueBetweenExclusiveBounds",
             R"({"exclusiveMinimum": 9007199254740993, "exclusiveMaximum": 9007199254740995})", "9007199254740994"},
        Case{"MultipleOf", R"({"type": "integer", "multipleOf": 9007199254740993, "minimum": 2})", "9007199254740993"},
        Case{"NextMultipleOf", R"({"type": "integer", "multipleOf": 9007199254740993, "minimum": 9007199254740994})",
             "18014398509481986"},
        Case{"MultipleOfThree", R"({"multipleOf": 3, "minimum": 9223372036854775806})", "9223372036854775806"},
        Case{"MultipleOfFive", R"({"multipleOf": 5, "minimum": 18446744073709551611})", "18446744073709551615"},
        Case{"MultipleOfSeven", R"({"multipleOf": 7, "maximum": -9223372036854775803})", "-9223372036854775807"},
        Case{"WithAPoint", R"({"type": "integer", "minimum": 9007199254740993.0})", "9007199254740993"},
        Case{"WithAnExponent", R"({"type": "integer", "minimum": 9007199254740993e0})", "9007199254740993"},
        Case{"ScaledByAnExponent", R"({"type": "integer", "minimum": 90071992547409.93e2})", "9007199254740993"},
        Case{"MultipleOfWithAPoint", R"({"multipleOf": 9007199254740993.0})", "0"},
        Case{"TenToThe19", R"({"type": "integer", "minimum": 1e19})", "10000000000000000000"},
        Case{"AboveTenToThe19", R"({"type": "integer", "exclusiveMinimum": 1e19})", "10000000000000000001"},
        Case{"BelowMinusTenToThe18", R"({"type": "integer", "exclusiveMaximum": -1e18})", "-1000000000000000001"},
        Case{"LargestInt64", R"({"minimum": 9223372036854775807, "maximum": 9223372036854775807})",
             "9223372036854775807"},
        Case{"BeyondInt64", R"({"type": "integer", "exclusiveMinimum": 9223372036854775807})", "9223372036854775808"},
        Case{"SmallestInt64", R"({"maximum": -9223372036854775808})", "-9223372036854775808"},
        Case{"LargestUint64", R"({"minimum": 18446744073709551615, "type": "integer"})", "18446744073709551615"},
        Case{"UpToTheLargestUint64",
             R"({"exclusiveMinimum": 18446744073709551614, "maximum": 18446744073709551615, "type": "integer"})",
             "18446744073709551615"},
        Case{"BeyondUint64", R"({"type": "integer", "minimum": 18446744073709551616})", "18446744073709551616.0"},
        Case{"AllOfTakesTheLargerMinimum",
             R"({"type": "integer", "minimum": 9007199254740992.0, "allOf": [{"minimum": 9007199254740993}]})",
             "9007199254740993"},
        Case{"AllOfOfInt64AndUint64",
             R"({"type": "integer", "minimum": -1, "allOf": [{"minimum": 18446744073709551615}]})",
             "18446744073709551615"},
        Case{
            "AllOfTakesTheSmallerMaximum",
            R"({"minimum": 9007199254740993, "allOf": [{"maximum": 9007199254740994}, {"maximum": 9007199254740993}]})",
            "9007199254740993"},
        Case{"AllOfMultiples", R"({"type": "integer", "minimum": 1, "multipleOf": 4, "allOf": [{"multipleOf": 6}]})",
             "12"},
        Case{"AllOfLargeMultiples", R"({"minimum": 1, "multipleOf": 9007199254740993, "allOf": [{"multipleOf": 2}]})",
             "18014398509481986"},
        Case{"AllOfFractionalMultiples", R"({"minimum": 0.1, "multipleOf": 0.2, "allOf": [{"multipleOf": 0.5}]})", "1"},
        Case{"EnumOfIntegers", R"({"type": "integer", "enum": [1.5, 9007199254740993.0]})", "9007199254740993"},
        Case{"AllOfEnums", R"({"enum": [9007199254740993, 2], "allOf": [{"enum": [9007199254740992.0, 2]}]})", "2"},
        Case{"AllOfEnumsOfInt64AndUint64", R"({"enum": [-1, 2], "allOf": [{"enum": [18446744073709551615, 2]}]})", "2"},
        Case{"UniqueItems",
             R"({"type": "array", "uniqueItems": true, "minItems": 2,
                 "items": [{"const": 9007199254740992.0}, {"const": 9007199254740993}]})",
             "[9007199254740992, 9007199254740993]"},
        Case{"Const", R"({"const": [9007199254740993.0]})", "[9007199254740993]"}),
    NameOfCase);

INSTANTIATE_TEST_SUITE_P(
    Strings, SchemaOutputTest,
    ::testing::Values(
        Case{"Names",
             R"({"properties": {"title": {}, "summary": {}, "owner": {}, "due_date": {}, "date": {}, "from": {},
                          "to": {}, "subject": {}, "email": {}, "threadId": {}, "message_id": {}, "sentAt": {}, "url": {},
                          "currency": {}, "status": {}, "priority": {}}})",
             R"({"title": "Pie plan", "summary": "The pie costs 1,250 euros.", "owner": "Ann Berg",
                 "due_date": "2026-02-10", "date": "2026-02-03", "from": "Ann Berg", "to": "Bo Chan <bo@example.org>",
                 "subject": "Pie plan", "email": "ann@example.com", "threadId": "t-pie", "message_id": "m01",
                 "sentAt": "2026-02-03T10:20:30Z", "url": "https://example.com/messages/m01", "currency": "EUR",
                 "status": "open", "priority": "medium"})"},
        Case{"ActionItems",
             R"({"type": "object", "properties": {"action_items": {"type": "array", "items": {"type": "object",
                 "properties": {"title": {"type": "string"}, "owner": {"type": "string"},
                                "due_date": {"type": "string", "format": "date"}},
                 "required": ["title", "owner", "due_date"], "additionalProperties": false}}},
                 "required": ["action_items"], "additionalProperties": false})",
             R"({"action_items": [{"title": "Pie plan", "owner": "Ann Berg", "due_date": "2026-02-10"},
                                  {"title": "Tee für alle", "owner": "Bo Chan", "due_date": "2027-01-04"}]})"},
        Case{
            "Formats",
            R"({"type": "array", "prefixItems": [{"format": "date"}, {"format": "date-time"}, {"format": "time"},
                 {"format": "email"}, {"format": "uri"}, {"format": "uuid"}, {"format": "ipv4"}, {"format": "ipv6"},
                 {"format": "hostname"}, {"format": "duration"}]})",
            R"(["2026-02-03", "2026-12-28T00:00:00Z", "10:20:30Z", "bo@example.org", "https://example.com/messages/m01",
                 "00000000-0000-4000-8000-000000000002", "192.0.2.1", "2001:db8::1", "example.com", "P7D"])"},
        Case{"UnknownFormat", R"({"type": "string", "format": "unheard-of"})", R"("The pie costs 1,250 euros.")"},
        Case{"MinLength", R"({"type": "string", "minLength": 30})", R"("The pie costs 1,250 euros.....")"},
        Case{"MaxLength", R"({"type": "string", "maxLength": 3})", R"("The")"},
        Case{"LengthsAreInCharacters",
             R"({"type": "array", "items": {"properties": {"title": {"maxLength": 6, "minLength": 6}}}})",
             R"([{"title": "Pie pl"}, {"title": "Tee fü"}])"},
        Case{"Pattern", R"({"type": "string", "pattern": "^INV-[0-9]{4}$"})", R"("INV-0000")"},
        Case{"PatternWithLength", R"({"type": "string", "pattern": "^[a-z]+$", "minLength": 5, "maxLength": 8})",
             R"("aaaaa")"},
        Case{"PatternThatMayBeEmpty", R"({"type": "string", "pattern": "^a*$", "maxLength": 0})", R"("")"}),
    NameOfCase);

TEST(SchemaOutputLimitsTest, WithoutMessages) {
  const Findings nothing{"the pie", false, false, {}};
  const Json schema = Json::parse(R"({"properties": {"title": {}, "when": {"format": "date"},
      "items": {"type": "array", "items": {"type": "string"}}, "some": {"type": "array", "minItems": 1}}})");
  EXPECT_EQ(Dump(SchemaOutput(schema, nothing)),
            R"({"title":"Nothing found","when":"2026-01-01","items":[],"some":["Nothing found."]})");
}

TEST(SchemaOutputLimitsTest, EndsWhereASchemaRepeatsItself) {
  const Json tree = Json::parse(R"({"type": "object", "properties": {"id": {"type": "string"},
      "children": {"type": "array", "items": {"$ref": "#"}}}, "required": ["id", "children"]})");
  Json node = SchemaOutput(tree, Found());
  int depth = 0;
  for (; !node["children"].empty(); ++depth) {
    EXPECT_EQ(node["id"].type(), Json::value_t::string);
    node = Json(node["children"][0]);
  }
  EXPECT_EQ(node["children"], Json::array());
  EXPECT_GT(depth, 1);
}

TEST(SchemaOutputLimitsTest, BoundsWhatIsImpossibleOrEnormous) {
  // Each of these asks for more than there can be; that they return is the test.
  const Json endless = Json::parse(R"({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]})");
  EXPECT_TRUE(SchemaOutput(endless, Found()).is_object());
  const Json wide = Json::parse(R"({"type": "array", "minItems": 1e18, "items": {"$ref": "#"}})");
  EXPECT_TRUE(SchemaOutput(wide, Found()).is_array());
  const Json lengthy = Json::parse(R"({"type": "string", "minLength": 1e18})");
  EXPECT_TRUE(SchemaOutput(lengthy, Found()).is_string());
  const Json doubling =
      Json::parse(R"({"type": "object", "minProperties": 1e9, "additionalProperties": {"$ref": "#"}})");
  EXPECT_TRUE(SchemaOutput(doubling, Found()).is_object());
}

TEST(SandboxJsonTest, ParsesObjectsOnly) {
  for (const char* text : {"", "[]", "1", "null", "{", "{\"a\":}", "{\"a\":1e999}", "{\"a\":\"\xFF\"}", "{} {}"}) {
    EXPECT_EQ(ParseObject(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseObject(R"( {"a": [1, -2, 0.5, "x", true, null, {}], "b": {"c": []}, "a": 3} )"),
            Json::parse(R"({"a": 3, "b": {"c": []}})"));
}

TEST(SandboxJsonTest, ParsesUpTo64Levels) {
  const auto nested = [](int levels) {
    return R"({"a":)" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  EXPECT_TRUE(ParseObject(nested(64)).has_value());
  EXPECT_EQ(ParseObject(nested(65)), std::nullopt);
  EXPECT_EQ(ParseObject(nested(100000)), std::nullopt);
}

TEST(SchemaOutputLimitsTest, TakesMalformedSchemas) {
  for (const char* schema : {R"({"type": 7})",
                             R"({"type": "strange"})",
                             R"({"type": []})",
                             R"({"properties": [1], "type": "object"})",
                             R"({"properties": {"a": 1}})",
                             R"({"required": true, "type": "object"})",
                             R"({"required": [1]})",
                             R"({"enum": 1})",
                             R"({"enum": []})",
                             R"({"allOf": 1})",
                             R"({"anyOf": []})",
                             R"({"oneOf": [7]})",
                             R"({"$ref": 1})",
                             R"({"type": "array", "items": 3, "minItems": "x", "uniqueItems": 1})",
                             R"({"type": "string", "maxLength": -1})",
                             R"({"type": "string", "format": 1, "pattern": 1})",
                             R"({"type": "integer", "multipleOf": 0})",
                             R"({"type": "integer", "multipleOf": -1, "minimum": "a"})",
                             R"({"type": "number", "minimum": 2, "maximum": 1})",
                             R"({"allOf": [{"type": 1}, {"type": "string"}, {"required": 1}, {"required": ["a"]}]})"}) {
    const Json instance = SchemaOutput(Json::parse(schema), Found());
    EXPECT_FALSE(Dump(instance).empty()) << schema;
  }
}

TEST(SchemaMergeTest, TakesTheTighterBound) {
  const Json schema = Json::parse(R"({"minimum": 1, "maximum": 9, "minLength": 2, "maxItems": 5, "uniqueItems": false,
      "additionalProperties": true, "allOf": [{"minimum": 3, "maximum": 7, "minLength": 1, "maxItems": 6,
      "uniqueItems": true, "additionalProperties": false}]})");
  EXPECT_EQ(Flatten(schema, schema), Json::parse(R"({"minimum": 3, "maximum": 7, "minLength": 2, "maxItems": 5,
      "uniqueItems": true, "additionalProperties": false})"));
}

TEST(StringPatternTest, MakesWhatMatches) {
  struct Pattern {
    const char* pattern;
    int repeats;
    const char* text;
  };
  for (const auto& [pattern, repeats, text] : std::initializer_list<Pattern>{
           {"", 1, ""},
           {"^abc$", 1, "abc"},
           {"a|b", 1, "a"},
           {"(a|b)(?:c|d)(?<name>e|f)", 1, "ace"},
           {"x(?=y)y(?!z)(?<=y)(?<!z)", 1, "xy"},
           {"a?b*c+", 0, "c"},
           {"a?b*c+", 1, "abc"},
           {"a?b*c+", 3, "abbbccc"},
           {"a+?b", 2, "aab"},
           {"a{3}b{2,}c{0,1}", 1, "aaabbc"},
           {"a{2,4}", 3, "aaa"},
           {"a{", 1, "a{"},
           {"a{x}", 1, "a{x}"},
           {"(ab){2}", 1, "abab"},
           {R"(\d\w\s\D\W\S\b\.\n\t\/)", 1, "1a a-a.\n\t/"},
           {"[xyz][^a][^a1][a-f0-9]{2}", 1, "x1Aaa"},
           {R"([\d][\]][^\w])", 1, "1]1"},
           {"[^", 1, "a"},
           {"[]", 1, ""},
           {".", 1, "a"},
           {"ü+[äö]", 2, "üüä"},
           {"(", 1, ""},
           {"((((a", 1, "a"},
           {"a)b", 1, "a"},
           {"\\", 1, ""},
           {"(?", 1, ""},
       }) {
    EXPECT_EQ(ExampleOf(pattern, repeats), text) << pattern;
  }
}

TEST(StringPatternTest, IsBounded) {
  EXPECT_LT(ExampleOf("(((a{99999}){99999}){99999}){99999}", 1).size(), 100000u);
  EXPECT_EQ(ExampleOf("(){2000000000}", 1), "");
  EXPECT_LT(ExampleOf(std::string(100000, '('), 1).size(), 100u);
}

}  // namespace
}  // namespace igptd::sandbox
