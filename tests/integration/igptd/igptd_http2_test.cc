// igptd over HTTP/2 to iGPT: what its callers and operators see.
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "igpt/options.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/scratch.h"
#include "tests/support/scripted_http2_server.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using grpc::StatusCode;
using ::testing::SizeIs;

constexpr char kDone[] = R"({"type":"run.done","seq":1,"id":"r1","output":"We will."})";

class IgptdHttp2Test : public ::testing::Test {
 protected:
  void SetUp() override {
    Options options;
    options.api_key = kKey;
    options.http_version = HttpVersion::k2;
    if (const absl::Status can = Validate(options); !can.ok()) GTEST_SKIP() << can.message();
    igptd_ = std::make_unique<Igptd>(std::vector<std::string>{
        "--igpt_base_url=" + igpt_.url("/v1"), "--igpt_ca_file=" + directory_.Write("authority", igpt_.authority())});
  }

  const ScratchDirectory directory_;
  ScriptedHttp2Server igpt_;
  std::unique_ptr<Igptd> igptd_;
};

TEST_F(IgptdHttp2Test, CallsShareAConnectionAndAreCounted) {
  igpt_.OnRequest([](const Http2Stream& stream) {
    stream.StartSse();
    stream.SendSse(kRunStart, kDone);
    stream.End();
  });
  for (int i = 0; i < 3; ++i) {
    const Stream answer = igptd_->Ask(AskFor("ada", "?"));
    EXPECT_EQ(answer.status.error_code(), StatusCode::OK) << answer.status.error_message();
    EXPECT_THAT(answer.events, SizeIs(2));
  }
  const Series series = igptd_->MetricsAtRest();
  EXPECT_EQ(series.at(R"(igptd_upstream_answers_total{http="2"})"), 3);
  EXPECT_EQ(series.at(R"(igptd_upstream_answers_total{http="1.1"})"), 0);
  EXPECT_LE(igpt_.connections(), series.at(R"(igptd_upstream_connections_total{state="new"})"));
}

TEST_F(IgptdHttp2Test, AStreamThatIsResetWithoutErrorIsTruncated) {
  igpt_.OnRequest([](const Http2Stream& stream) {
    stream.StartSse();
    stream.SendSse(kRunStart);
    stream.Reset(NGHTTP2_NO_ERROR);
  });
  const Stream answer = igptd_->Ask(AskFor("ada", "?"));
  EXPECT_THAT(answer.events, SizeIs(1));
  EXPECT_EQ(answer.status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(answer.status).info.reason(), "STREAM_TRUNCATED");
  EXPECT_THAT(igpt_.requests(), SizeIs(1));
}

TEST_F(IgptdHttp2Test, WhatWasNotProcessedIsSentAgain) {
  igpt_.OnNextRequest([](const Http2Stream& stream) { stream.GoAway(0); });
  igpt_.OnNextRequest([](const Http2Stream& stream) { stream.Reset(NGHTTP2_REFUSED_STREAM); });
  igpt_.OnRequest([](const Http2Stream& stream) { stream.Answer(200, "{}"); });
  v1::DisconnectRequest request;
  request.set_user("ada");
  request.set_id("spike/1/messages");
  EXPECT_EQ(igptd_->Disconnect(request).status.error_code(), StatusCode::OK);
  EXPECT_THAT(igpt_.requests(), SizeIs(3));
}

TEST_F(IgptdHttp2Test, ACancelResetsTheStream) {
  igpt_.OnRequest([](const Http2Stream& stream) {
    stream.StartSse();
    stream.SendSse(kRunStart);
  });
  grpc::ClientContext context;
  const auto reader = igptd_->recall->Ask(&context, AskFor("ada", "?"));
  v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));
  context.TryCancel();
  ASSERT_TRUE(igpt_.AwaitRequests(1));
  EXPECT_TRUE(igpt_.AwaitReset(igpt_.requests()[0]));
  EXPECT_FALSE(igpt_.closed(1));
  EXPECT_EQ(ReadAll(context, *reader).status.error_code(), StatusCode::CANCELLED);
}

}  // namespace
}  // namespace igpt::testing
