// Answers from iGPT whose JSON costs much memory: memory stays bounded, and other callers don't notice.
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/hostile/attack.h"
#include "tests/hostile/bounds.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;

// Just below --max_answer_bytes.
constexpr size_t kAnswerBytes = 15 * kMiB;

std::string Repeated(std::string_view piece, size_t bytes) {
  std::string text;
  text.reserve(bytes + piece.size());
  while (text.size() < bytes) text += piece;
  return text;
}

struct Bomb {
  const char* name;
  std::string (*body)();
};

const Bomb kBombs[] = {
    {"DeepArrays", [] { return Repeated("[", kAnswerBytes / 2) + Repeated("]", kAnswerBytes / 2); }},
    {"DeepObjects", [] { return Repeated(R"({"a":)", kAnswerBytes) + "0"; }},
    {"ManyResults", [] { return R"({"results":[)" + Repeated("{},", kAnswerBytes) + "{}]}"; }},
    {"ManyPeople", [] { return R"({"results":[{"to":[)" + Repeated(R"("a",)", kAnswerBytes) + R"("a"]}]})"; }},
    {"ManyUnknownNumbers", [] { return R"({"results":[],"x":[)" + Repeated("0,", kAnswerBytes) + "0]}"; }},
    {"ManyUnknownKeys", [] { return R"({"results":[])" + Repeated(R"(,"k":0)", kAnswerBytes) + "}"; }},
    {"AGiantNumber", [] { return R"({"results":[],"x":)" + Repeated("9", kAnswerBytes) + "}"; }},
    {"AGiantString", [] { return R"({"results":[{"content":")" + Repeated(R"(\u00e4)", kAnswerBytes) + R"("}]})"; }},
};

class IgptdAnswersTest : public ::testing::TestWithParam<Bomb> {};

TEST_P(IgptdAnswersTest, FourAtOnceAreHarmless) {
  const std::string bomb = GetParam().body();
  Igptd igptd;
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    if (exchange.request().body.find("bomb") == std::string::npos) return AnswerAtOnce(exchange);
    exchange.Answer(200, bomb);
  });
  const auto attack = [&] {
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        v1::SearchRequest request;
        request.set_user("bomb");
        request.set_query("bomb");
        igptd.Search(request);  // it doesn't matter how it ends
      });
    }
    for (std::thread& caller : callers) caller.join();
  };
  ExpectHarmless(Attack(igptd, attack), kJsonBombBytes);
}

INSTANTIATE_TEST_SUITE_P(Bombs, IgptdAnswersTest, ::testing::ValuesIn(kBombs),
                         [](const auto& bomb) { return bomb.param.name; });

}  // namespace
}  // namespace igpt::testing
