#include "service/observe/span.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace igptd {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Not;
using ::testing::Pair;
using ::testing::VariantWith;

namespace v1 = igpt::v1;

constexpr char kParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr char kOwn[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00000000000000aa-01";

auto Has(const std::string& name, const std::string& value) {
  return Contains(Pair(name, VariantWith<std::string>(value)));
}
auto Has(const std::string& name, int64_t value) {
  return Contains(Pair(name, VariantWith<int64_t>(value)));
}
auto HasNo(const std::string& name) {
  return Not(Contains(Pair(name, ::testing::_)));
}

CallRecord Call(grpc::StatusCode code, v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED) {
  CallRecord call;
  call.method = "igpt.v1.RecallService/Ask";
  call.trace.traceparent = kParent;
  call.start = absl::FromUnixSeconds(1000);
  call.duration = absl::Seconds(2);
  call.client_address = "192.0.2.1";
  call.code = code;
  call.reason = reason;
  return call;
}

TEST(UpstreamTest, IsReadFromTheBaseUrl) {
  const struct {
    const char* base_url;
    const char* url;
    const char* path;
    const char* host;
    int port;
  } cases[] = {
      {"https://api.igpt.ai/v1", "https://api.igpt.ai/v1/", "/v1/", "api.igpt.ai", 443},
      {"https://api.igpt.ai/v1//", "https://api.igpt.ai/v1/", "/v1/", "api.igpt.ai", 443},
      {"http://localhost", "http://localhost/", "/", "localhost", 80},
      {"http://127.0.0.1:8089/a/b", "http://127.0.0.1:8089/a/b/", "/a/b/", "127.0.0.1", 8089},
      {"http://[::1]/v1", "http://[::1]/v1/", "/v1/", "::1", 80},
      {"http://[::1]:8089", "http://[::1]:8089/", "/", "::1", 8089},
  };
  for (const auto& row : cases) {
    const UpstreamAddress upstream = ParseUpstream(row.base_url);
    EXPECT_EQ(upstream.url, row.url);
    EXPECT_EQ(upstream.path, row.path) << row.base_url;
    EXPECT_EQ(upstream.host, row.host) << row.base_url;
    EXPECT_EQ(upstream.port, row.port) << row.base_url;
  }
}

TEST(CallSpanTest, TellsTheCall) {
  CallRecord call = Call(grpc::StatusCode::OK);
  call.trace.parent_id = 0xbb;
  const Span span = SpanOf(call);
  EXPECT_TRUE(span.of_server);
  EXPECT_EQ(span.name, "igpt.v1.RecallService/Ask");
  EXPECT_EQ(span.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(span.span_id, "00f067aa0ba902b7");
  EXPECT_EQ(span.parent_id, "00000000000000bb");
  EXPECT_EQ(span.start, absl::FromUnixSeconds(1000));
  EXPECT_EQ(span.duration, absl::Seconds(2));
  EXPECT_FALSE(span.failed);
  EXPECT_THAT(span.attributes, AllOf(Has("rpc.system.name", "grpc"), Has("rpc.method", "igpt.v1.RecallService/Ask"),
                                     Has("rpc.response.status_code", "OK"), Has("client.address", "192.0.2.1"),
                                     HasNo("error.type"), HasNo("igptd.reason")));
}

TEST(CallSpanTest, OnlyAServersOwnFailuresAreItsFailures) {
  using enum grpc::StatusCode;
  for (const grpc::StatusCode code : {UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS}) {
    EXPECT_TRUE(SpanOf(Call(code)).failed) << code;
  }
  for (const grpc::StatusCode code :
       {OK, CANCELLED, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, UNAUTHENTICATED,
        RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE}) {
    EXPECT_FALSE(SpanOf(Call(code)).failed) << code;
  }
  EXPECT_THAT(SpanOf(Call(UNAVAILABLE, v1::ERROR_REASON_NETWORK_ERROR)).attributes,
              AllOf(Has("rpc.response.status_code", "UNAVAILABLE"), Has("error.type", "UNAVAILABLE"),
                    Has("igptd.reason", "NETWORK_ERROR")));
  EXPECT_THAT(SpanOf(Call(CANCELLED, v1::ERROR_REASON_REQUEST_ABORTED)).attributes,
              AllOf(HasNo("error.type"), Has("igptd.reason", "REQUEST_ABORTED")));
}

// The name of one that igptd doesn't have is a caller's text.
TEST(CallSpanTest, AnUnknownMethodHasNoName) {
  CallRecord call = Call(grpc::StatusCode::UNIMPLEMENTED);
  call.method = "unknown";
  EXPECT_EQ(SpanOf(call).name, "grpc");
  EXPECT_THAT(SpanOf(call).attributes, Has("rpc.method", "_OTHER"));
}

igpt::RequestReport Request() {
  igpt::RequestReport request;
  request.route = "recall/ask";
  request.duration = absl::Seconds(3);
  request.traceparent = kOwn;
  request.parent = kParent;
  return request;
}

Span SpanOfRequest(const igpt::RequestReport& request) {
  return SpanOf(request, ParseUpstream("https://api.igpt.ai/v1"), absl::FromUnixSeconds(1003));
}

TEST(RequestSpanTest, TellsTheRequest) {
  igpt::RequestReport request = Request();
  request.http_status = 200;
  const Span span = SpanOfRequest(request);
  EXPECT_FALSE(span.of_server);
  EXPECT_EQ(span.name, "POST /v1/recall/ask/");
  EXPECT_EQ(span.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(span.span_id, "00000000000000aa");
  EXPECT_EQ(span.parent_id, "00f067aa0ba902b7");
  EXPECT_EQ(span.start, absl::FromUnixSeconds(1000));
  EXPECT_EQ(span.duration, absl::Seconds(3));
  EXPECT_FALSE(span.failed);
  EXPECT_THAT(span.attributes,
              AllOf(Has("http.request.method", "POST"), Has("url.full", "https://api.igpt.ai/v1/recall/ask/"),
                    Has("url.template", "/v1/recall/ask/"), Has("server.address", "api.igpt.ai"),
                    Has("server.port", 443), Has("http.response.status_code", 200)));
  EXPECT_THAT(span.attributes, AllOf(HasNo("http.request.resend_count"), HasNo("error.type")));
}

TEST(RequestSpanTest, FailuresAreNamed) {
  igpt::RequestReport request = Request();
  request.error = igpt::ErrorKind::kNetwork;
  request.resends = 2;
  EXPECT_TRUE(SpanOfRequest(request).failed);
  EXPECT_THAT(SpanOfRequest(request).attributes, AllOf(Has("error.type", "network"), HasNo("http.response.status_code"),
                                                       Has("http.request.resend_count", 2)));
  request.http_status = 200;  // cut within its answer
  EXPECT_TRUE(SpanOfRequest(request).failed);
  EXPECT_THAT(SpanOfRequest(request).attributes,
              AllOf(Has("error.type", "network"), Has("http.response.status_code", 200)));
  request.http_status = 404;
  request.error = igpt::ErrorKind::kProtocol;
  EXPECT_TRUE(SpanOfRequest(request).failed);
  EXPECT_THAT(SpanOfRequest(request).attributes, Has("error.type", "404"));
}

// What stands in `backquotes` in the first column of the tables of docs/traces.md whose first column is called
// `header`.
std::set<std::string> Documented(const std::string& header) {
  std::set<std::string> names;
  std::ifstream page(TRACES_PAGE);
  bool in_table = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| " + header + " |")) in_table = true;
    if (line.empty()) in_table = false;
    if (in_table && line.starts_with("| `")) names.insert(line.substr(3, line.find('`', 3) - 3));
  }
  return names;
}

std::set<std::string> NamesIn(const std::vector<Span>& spans) {
  std::set<std::string> names;
  for (const Span& span : spans) {
    for (const auto& [name, value] : span.attributes) names.insert(std::string(name));
  }
  return names;
}

TEST(SpanPageTest, NamesTheAttributes) {
  EXPECT_EQ(Documented("attribute of a call"),
            NamesIn({SpanOf(Call(grpc::StatusCode::UNAVAILABLE, v1::ERROR_REASON_NETWORK_ERROR))}));
  igpt::RequestReport request = Request();
  request.http_status = 503;
  request.resends = 1;
  EXPECT_EQ(Documented("attribute of a request"), NamesIn({SpanOfRequest(request)}));
}

}  // namespace
}  // namespace igptd
