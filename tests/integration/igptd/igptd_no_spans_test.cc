// An igptd that was built without opentelemetry-cpp says so where spans were asked for.
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kWarning[] = "built without opentelemetry-cpp";

TEST(IgptdNoSpansTest, ItSaysSo) {
  Igptd igptd({}, {"IGPT_API_KEY=ak:test", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"});
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes."})"); });
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  igptd.Stop();
  EXPECT_THAT(igptd.process->Stderr(), AllOf(HasSubstr(kWarning), HasSubstr(R"("spans":"off")")));
}

TEST(IgptdNoSpansTest, NobodyAskedNothingIsSaid) {
  Igptd igptd;
  igptd.Stop();
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr(kWarning)));
}

}  // namespace
}  // namespace igpt::testing
