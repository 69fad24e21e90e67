// How a program tests its own code that asks iGPT: with a fake, and no network.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "igpt/client.h"
#include "igpt/error.h"
#include "igpt/testing/fake_transport.h"

namespace {

using igpt::testing::FakeTransport;

// The program's code: an answer as text, or what to tell the user instead.
std::string AnswerOrApology(const igpt::Client& client, const std::string& question) {
  std::string text;
  igpt::EventStream stream = client.recall().AskStream({.input = question});
  const absl::Status status = stream.ForEachText([&](std::string_view piece) { text += piece; });
  if (status.ok()) return text;
  return igpt::IsRetryable(status) ? "Please try again later." : "Sorry, that went wrong.";
}

igpt::Client ClientOf(std::shared_ptr<FakeTransport> fake) {
  return *igpt::Client::Create({.user = "ada"}, std::move(fake));
}

TEST(AnswerOrApologyTest, GivesTheWholeText) {
  const auto fake = std::make_shared<FakeTransport>();
  fake->ask_stream = [](const igpt::AskRequest& request, const igpt::CallOptions& /*options*/) {
    EXPECT_EQ(request.user, "ada");
    EXPECT_EQ(request.input, "What did we decide?");
    return igpt::testing::Pieces({"We will", " hire."});
  };
  EXPECT_EQ(AnswerOrApology(ClientOf(fake), "What did we decide?"), "We will hire.");
}

TEST(AnswerOrApologyTest, ApologizesForAStreamThatBreaks) {
  const auto fake = std::make_shared<FakeTransport>();
  for (const auto& [kind, apology] : {std::pair(igpt::ErrorKind::kTruncated, "Please try again later."),
                                      std::pair(igpt::ErrorKind::kAuth, "Sorry, that went wrong.")}) {
    fake->ask_stream = [kind = kind](const igpt::AskRequest& /*request*/, const igpt::CallOptions& /*options*/) {
      return igpt::testing::Events({{.payload = igpt::Delta{"We"}}}, igpt::MakeStatus(kind, "for the test"));
    };
    EXPECT_EQ(AnswerOrApology(ClientOf(fake), "What did we decide?"), apology);
  }
}

}  // namespace
