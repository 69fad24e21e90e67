#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "service/sandbox/search.h"
#include "service/sandbox/words.h"

namespace igptd::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kAnna = "Anna Berg <anna@example.com>";
constexpr std::string_view kBo = "Bo Chan <bo@example.org>";

// Four messages, oldest first.
const std::vector<Message>& Messages() {
  static const auto& messages = *new std::vector<Message>{
      {"a", "t1", "2026-01-31T23:59:59Z", kAnna, {kBo}, "Budget", "The first numbers.", {}},
      {"b", "t1", "2026-02-01T00:00:00Z", kBo, {kAnna}, "Re: numbers", "The budget is fine.", {}},
      {"c", "t2", "2026-02-02T10:00:00Z", kBo, {kBo}, "Lunch", "At noon. The budget allows it.", {}},
      {"d", "t3", "2026-03-01T10:00:00Z", kAnna, {kBo}, "Zebra", "Nothing else.", {}},
  };
  return messages;
}

std::vector<std::string> Ids(const Query& query) {
  std::vector<std::string> ids;
  for (const Message* message : Search(Messages(), query)) ids.emplace_back(message->id);
  return ids;
}

struct Case {
  std::string name;
  std::string words;
  std::string date_from;
  std::string date_to;
  std::string people;
  size_t limit = 20;
  std::vector<std::string> ids;
};

class SearchTest : public ::testing::TestWithParam<Case> {};

TEST_P(SearchTest, Finds) {
  const Case& c = GetParam();
  EXPECT_EQ(Ids({c.words, c.date_from, c.date_to, c.people, c.limit}), c.ids);
}

INSTANTIATE_TEST_SUITE_P(
    Table, SearchTest,
    ::testing::Values(Case{"NothingAskedIsEverythingNewestFirst", "", "", "", "", 20, {"d", "c", "b", "a"}},
                      Case{"SpacesAreNothingAsked", " \t", "", "", "", 20, {"d", "c", "b", "a"}},
                      Case{"SubjectBeforeBodyThenNewest", "budget", "", "", "", 20, {"a", "c", "b"}},
                      Case{"CaseAndEndingsDoNotMatter", "BUDGETS", "", "", "", 20, {"a", "c", "b"}},
                      Case{"RareWordsWeighMore", "budget zebra", "", "", "", 1, {"d"}},
                      Case{"MoreWordsWeighMore", "budget numbers", "", "", "", 20, {"b", "a", "c"}},
                      Case{"AnyWordIsEnough", "zebra unheard", "", "", "", 20, {"d"}},
                      Case{"UnknownWord", "unheard", "", "", "", 20, {}},
                      Case{"OnlyCommonWords", "what is the", "", "", "", 20, {}},
                      Case{"FromIsInclusive", "", "2026-02-01", "", "", 20, {"d", "c", "b"}},
                      Case{"ToIsInclusive", "", "", "2026-01-31", "", 20, {"a"}},
                      Case{"OneDay", "", "2026-02-02", "2026-02-02", "", 20, {"c"}},
                      Case{"NoSuchDay", "", "2026-02-03", "2026-02-28", "", 20, {}},
                      Case{"PersonByName", "", "", "", "anna", 20, {"d", "b", "a"}},
                      Case{"PersonByAddress", "", "", "", "bo@example.org", 20, {"d", "c", "b", "a"}},
                      Case{"AnyOfSeveralPeople", "", "", "", "nobody, ANNA BERG", 20, {"d", "b", "a"}},
                      Case{"NoSuchPerson", "", "", "", "carla", 20, {}},
                      Case{"EverythingTogether", "budget", "2026-02-01", "2026-02-28", "anna", 20, {"b"}},
                      Case{"Limit", "", "", "", "", 2, {"d", "c"}}),
    [](const auto& test) { return test.param.name; });

TEST(SearchMailboxTest, FindsTheDecisionFirst) {
  Query query;
  query.words = "What did we decide about the budget?";
  const std::vector<const Message*> found = Search(Mailbox(), query);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front()->subject, "Decision: second-half budget");
}

TEST(WordsTest, KeepsWhatCarriesMeaning) {
  EXPECT_THAT(Words(""), IsEmpty());
  EXPECT_THAT(Words("What did we do about it?"), IsEmpty());
  EXPECT_THAT(Words("Invoices, invoice INVOICED"), ElementsAre("invoic"));
  EXPECT_THAT(Words("priorities bus class"), UnorderedElementsAre("priority", "bus", "class"));
  EXPECT_EQ(Words("approved"), Words("decision"));
  EXPECT_EQ(Words("Priya’s offer"), Words("priya offer"));
  EXPECT_THAT(Words("Zürich 2026-02"), UnorderedElementsAre("zürich", "2026", "02"));
  EXPECT_THAT(Words("“Quoted” – €5… \xE2\x80"), UnorderedElementsAre("quot", "€5"));
}

TEST(MailboxTest, IsInOrderAndWellFormed) {
  ASSERT_GE(Mailbox().size(), 40u);
  std::set<std::string_view> ids;
  std::string_view previous;
  for (const Message& message : Mailbox()) {
    SCOPED_TRACE(message.id);
    EXPECT_TRUE(ids.insert(message.id).second);
    EXPECT_LT(previous, message.date);
    previous = message.date;
    EXPECT_EQ(message.date.size(), 20u);
    EXPECT_FALSE(message.subject.empty());
    EXPECT_FALSE(message.body.empty());
    std::vector<std::string_view> people = message.to;
    EXPECT_FALSE(people.empty());
    people.push_back(message.from);
    for (const std::string_view person : people) {
      EXPECT_FALSE(NameOf(person).empty());
      EXPECT_NE(AddressOf(person).find("@example."), std::string_view::npos) << person;
    }
  }
}

}  // namespace
}  // namespace igptd::sandbox
