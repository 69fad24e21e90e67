// Long questions: how much memory their streams hold.
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/hostile/bounds.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/await.h"
#include "tests/support/memory.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;

// Once a stream has its first event, no request can be needed again: igptd lets go of the JSON that it sent.
TEST(IgptdQuestionsTest, AStreamHoldsItsQuestionOnce) {
  constexpr size_t kStreams = 50;
  constexpr size_t kQuestionBytes = kMiB;
  constexpr size_t kMostBytes = kQuestionBytes * 3 / 2;
  Event go_on;
  // What is held counts, not what malloc keeps for later.
  Igptd igptd({}, {std::string("IGPT_API_KEY=") + kKey, "MIMALLOC_DECOMMIT_DELAY=0"});
  igptd.upstream.OnRequest(RunUntil(go_on));
  const size_t before = ResidentMemory(igptd.process->pid());
  struct Open {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::AskResponse>> reader;
  };
  std::vector<Open> streams(kStreams);
  for (Open& stream : streams) {
    stream.reader = igptd.recall->Ask(&stream.context, AskFor("ada", std::string(kQuestionBytes, 'x')));
    v1::AskResponse event;
    ASSERT_TRUE(stream.reader->Read(&event));
  }
  const auto bytes_per_stream = [&] {
    const size_t now = ResidentMemory(igptd.process->pid());
    return now < before ? 0 : (now - before) / kStreams;
  };
  EXPECT_TRUE(AwaitTrue([&] { return bytes_per_stream() < kMostBytes; })) << bytes_per_stream();
  std::printf("%zu KB for each stream\n", bytes_per_stream() / 1000);
  go_on.Set();
  for (Open& stream : streams) EXPECT_THAT(ReadAll(stream.context, *stream.reader).status, IsOkStatus());
}

}  // namespace
}  // namespace igpt::testing
