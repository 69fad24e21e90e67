#include "igpt/internal/policy/http_status.h"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "igpt/internal/call/endpoint.h"

namespace igpt::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1700000000);
constexpr Route kRoutes[] = {kAsk.route, kSearch.route, kList.route, kDisconnect.route, kAuthorize.route};

ResponseHead Head(int status) {
  ResponseHead head;
  head.status = status;
  head.content_type = "application/json";
  return head;
}

TEST(RoutePathTest, IsTheApis) {
  EXPECT_EQ(kAsk.route.path, "recall/ask/");
  EXPECT_EQ(kSearch.route.path, "recall/search/");
  EXPECT_EQ(kList.route.path, "datasources/list/");
  EXPECT_EQ(kDisconnect.route.path, "datasources/disconnect/");
  EXPECT_EQ(kAuthorize.route.path, "connectors/authorize/");
}

TEST(IsEventStreamTest, IgnoresCaseAndParameters) {
  for (const char* type : {"text/event-stream", "Text/Event-Stream", "text/event-stream; charset=utf-8",
                           "text/event-stream;charset=utf-8", " text/event-stream "}) {
    EXPECT_TRUE(IsEventStream(type)) << type;
  }
  for (const char* type : {"", "text/event-streams", "text/plain", "application/json", "x; text/event-stream"}) {
    EXPECT_FALSE(IsEventStream(type)) << type;
  }
}

struct ContentType {
  std::string type;
  bool for_ask;
  bool for_others;
};

class ContentTypeTest : public testing::TestWithParam<ContentType> {};

TEST_P(ContentTypeTest, OfAnAnswer) {
  ResponseHead head = Head(200);
  head.content_type = GetParam().type;
  for (const Route& route : kRoutes) {
    const bool accepted = route == kAsk.route ? GetParam().for_ask : GetParam().for_others;
    const std::optional<FailedAttempt> verdict = CheckHead(route, head, kNow);
    EXPECT_EQ(!verdict, accepted) << route.path;
    if (!verdict) continue;
    EXPECT_EQ(verdict->error.kind, ErrorKind::kProtocol);
    EXPECT_EQ(verdict->error.call.http_status, 200);
    EXPECT_FALSE(verdict->transient);
    EXPECT_TRUE(verdict->reached);
    EXPECT_THAT(verdict->message, HasSubstr("content type"));
  }
}

std::vector<ContentType> Types() {
  return {
      {"", true, true},
      {" ", true, true},
      {"application/json", true, true},
      {"application/json; charset=utf-8", true, true},
      {"Application/JSON;charset=UTF-8", true, true},
      {"text/json", true, true},
      {"application/problem+json", true, true},
      {"application/vnd.igpt.v1+JSON ; a=b", true, true},
      {"text/event-stream", true, false},
      {"TEXT/event-stream; charset=utf-8", true, false},
      {"text/html", false, false},
      {"text/html; charset=application/json", false, false},
      {"text/plain", false, false},
      {"application/jsonp", false, false},
      {"application/json-seq", false, false},
      {"application/octet-stream", false, false},
  };
}

INSTANTIATE_TEST_SUITE_P(Types, ContentTypeTest, testing::ValuesIn(Types()));

TEST(CheckHeadTest, RefusesContentCodings) {
  for (const char* coding : {"", "identity", "Identity", " identity "}) {
    ResponseHead head = Head(200);
    head.content_encoding = coding;
    for (const Route& route : kRoutes) EXPECT_FALSE(CheckHead(route, head, kNow).has_value()) << coding;
  }
  for (const char* coding : {"gzip", "br", "deflate", "identity, gzip", "x"}) {
    ResponseHead head = Head(200);
    head.content_encoding = coding;
    for (const Route& route : kRoutes) {
      const std::optional<FailedAttempt> verdict = CheckHead(route, head, kNow);
      ASSERT_TRUE(verdict.has_value()) << coding;
      EXPECT_EQ(verdict->error.kind, ErrorKind::kProtocol);
      EXPECT_FALSE(verdict->transient);
      EXPECT_THAT(verdict->message, HasSubstr("compressed"));
    }
  }
}

struct Status {
  int status;
  ErrorKind kind;
  bool transient = false;
};

class HttpStatusTest : public testing::TestWithParam<Status> {};

TEST_P(HttpStatusTest, MeansTheSameOnEveryRoute) {
  for (const Route& route : kRoutes) {
    if (GetParam().status == 404 && route == kDisconnect.route) continue;
    for (const char* type : {"application/json", "text/html", "text/event-stream"}) {
      ResponseHead head = Head(GetParam().status);
      head.content_type = type;
      const std::optional<FailedAttempt> verdict = CheckHead(route, head, kNow);
      ASSERT_TRUE(verdict.has_value());
      EXPECT_EQ(verdict->error.kind, GetParam().kind);
      EXPECT_EQ(verdict->error.call.http_status, GetParam().status);
      EXPECT_EQ(verdict->error.retry_after, std::nullopt);
      EXPECT_EQ(verdict->transient, GetParam().transient);
      EXPECT_TRUE(verdict->reached);
      EXPECT_THAT(verdict->message, HasSubstr("HTTP " + std::to_string(GetParam().status) + ": "));
    }
  }
}

std::vector<Status> Statuses() {
  return {
      {0, ErrorKind::kProtocol},
      {101, ErrorKind::kProtocol},
      {199, ErrorKind::kProtocol},
      {201, ErrorKind::kProtocol},
      {202, ErrorKind::kProtocol},
      {204, ErrorKind::kProtocol},
      {206, ErrorKind::kProtocol},
      {299, ErrorKind::kProtocol},
      {300, ErrorKind::kProtocol},
      {301, ErrorKind::kProtocol},
      {302, ErrorKind::kProtocol},
      {303, ErrorKind::kProtocol},
      {304, ErrorKind::kProtocol},
      {307, ErrorKind::kProtocol},
      {308, ErrorKind::kProtocol},
      {399, ErrorKind::kProtocol},
      {400, ErrorKind::kParams},
      {401, ErrorKind::kAuth},
      {402, ErrorKind::kProtocol},
      {404, ErrorKind::kProtocol},
      {405, ErrorKind::kProtocol},
      {408, ErrorKind::kProtocol},
      {409, ErrorKind::kProtocol},
      {413, ErrorKind::kProtocol},
      {421, ErrorKind::kProtocol},
      {422, ErrorKind::kParams},
      {429, ErrorKind::kRateLimited, true},
      {451, ErrorKind::kProtocol},
      {499, ErrorKind::kProtocol},
      {500, ErrorKind::kUnavailable, true},
      {501, ErrorKind::kUnavailable},
      {502, ErrorKind::kUnavailable, true},
      {503, ErrorKind::kUnavailable, true},
      {504, ErrorKind::kUnavailable, true},
      {505, ErrorKind::kUnavailable},
      {529, ErrorKind::kUnavailable},
      {599, ErrorKind::kUnavailable},
      {600, ErrorKind::kProtocol},
      {999, ErrorKind::kProtocol},
  };
}

// A firewall's 403 says nothing of the key.
TEST(CheckHeadTest, TellsWhoRefusedWithAnother403) {
  const struct {
    std::string type;
    std::string server;
    ErrorKind kind;
    std::string says;
  } cases[] = {
      {"application/json; charset=utf-8", "nginx", ErrorKind::kAuth, "key"},
      {"Text/HTML; charset=utf-8", "cloudflare", ErrorKind::kProtocol, "content type: text/html, server: cloudflare"},
      {"text/html", "nginx/1.25", ErrorKind::kProtocol, "server: nginx/1.25"},
      {"", "", ErrorKind::kProtocol, "content type: unknown, server: unknown"},
      {"text/html", "for the secret user", ErrorKind::kProtocol, "server: unknown"},
  };
  for (const auto& c : cases) {
    ResponseHead head = Head(403);
    head.content_type = c.type;
    head.server = c.server;
    const std::optional<FailedAttempt> verdict = CheckHead(kSearch.route, head, kNow);
    ASSERT_TRUE(verdict.has_value());
    EXPECT_EQ(verdict->error.kind, c.kind) << c.type;
    EXPECT_NE(verdict->message.find(c.says), std::string::npos) << verdict->message;
  }
}

INSTANTIATE_TEST_SUITE_P(Statuses, HttpStatusTest, testing::ValuesIn(Statuses()),
                         [](const auto& test) { return "Http" + std::to_string(test.param.status); });

TEST(CheckHeadTest, NotFoundIsTheDatasourceOnDisconnectOnly) {
  const std::optional<FailedAttempt> verdict = CheckHead(kDisconnect.route, Head(404), kNow);
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->error.kind, ErrorKind::kNotFound);
  EXPECT_EQ(verdict->error.call.http_status, 404);
  EXPECT_FALSE(verdict->transient);
}

TEST(CheckHeadTest, TellsWhenToComeBack) {
  for (int status : {429, 500, 502, 503, 504, 529}) {
    ResponseHead head = Head(status);
    head.retry_after = "17";
    EXPECT_EQ(CheckHead(kAsk.route, head, kNow)->error.retry_after, absl::Seconds(17)) << status;
    head.retry_after = "Tue, 14 Nov 2023 22:13:50 GMT";
    EXPECT_EQ(CheckHead(kAsk.route, head, kNow)->error.retry_after, absl::Seconds(30)) << status;
    head.retry_after = "1000000000";
    EXPECT_EQ(CheckHead(kAsk.route, head, kNow)->error.retry_after, absl::Hours(1)) << status;
    for (const char* hostile : {"-1", "soon"}) {
      head.retry_after = hostile;
      EXPECT_EQ(CheckHead(kAsk.route, head, kNow)->error.retry_after, std::nullopt) << status;
    }
  }
  for (int status : {302, 400, 401, 404, 408}) {
    ResponseHead head = Head(status);
    head.retry_after = "17";
    EXPECT_EQ(CheckHead(kAsk.route, head, kNow)->error.retry_after, std::nullopt) << status;
  }
}

TEST(CheckHeadTest, NeverRepeatsWhatTheServerWrote) {
  ResponseHead head;
  head.content_type = head.content_encoding = head.retry_after = "SECRET";
  for (int status : {200, 302, 401, 429, 503}) {
    head.status = status;
    EXPECT_THAT(CheckHead(kAsk.route, head, kNow)->message, Not(HasSubstr("SECRET")));
  }
}

struct Transport {
  CURLcode code;
  ErrorKind kind;
  bool transient;
  bool may_have_reached;  // when a byte of the request left
};

class TransportTest : public testing::TestWithParam<Transport> {};

TEST_P(TransportTest, IsClassified) {
  for (bool request_sent : {false, true}) {
    const FailedAttempt verdict = CheckTransport(GetParam().code, request_sent, "SECRET");
    EXPECT_EQ(verdict.error.kind, GetParam().kind);
    EXPECT_EQ(verdict.error.call.http_status, 0);
    EXPECT_EQ(verdict.error.timer, GetParam().kind == ErrorKind::kTimeout ? "connect" : "");
    EXPECT_EQ(verdict.transient, GetParam().transient);
    EXPECT_EQ(verdict.reached, request_sent && GetParam().may_have_reached);
    EXPECT_FALSE(verdict.message.empty());
    EXPECT_THAT(verdict.message, Not(HasSubstr("SECRET")));
  }
}

std::vector<Transport> Codes() {
  return {
      {CURLE_COULDNT_RESOLVE_HOST, ErrorKind::kNetwork, true, false},
      {CURLE_COULDNT_CONNECT, ErrorKind::kNetwork, true, false},
      {CURLE_SSL_CONNECT_ERROR, ErrorKind::kNetwork, true, true},
      {CURLE_PEER_FAILED_VERIFICATION, ErrorKind::kTls, false, true},
      {CURLE_SSL_ISSUER_ERROR, ErrorKind::kTls, false, true},
      {CURLE_SSL_INVALIDCERTSTATUS, ErrorKind::kTls, false, true},
      {CURLE_SSL_PINNEDPUBKEYNOTMATCH, ErrorKind::kTls, false, true},
      {CURLE_SSL_CACERT_BADFILE, ErrorKind::kConfiguration, false, true},
      {CURLE_SSL_CRL_BADFILE, ErrorKind::kConfiguration, false, true},
      {CURLE_SSL_CERTPROBLEM, ErrorKind::kTls, false, true},
      {CURLE_SSL_CLIENTCERT, ErrorKind::kTls, false, true},
      {CURLE_SSL_CIPHER, ErrorKind::kTls, false, true},
      {CURLE_SEND_ERROR, ErrorKind::kNetwork, true, true},
      {CURLE_RECV_ERROR, ErrorKind::kNetwork, true, true},
      {CURLE_GOT_NOTHING, ErrorKind::kNetwork, true, true},
      {CURLE_PARTIAL_FILE, ErrorKind::kNetwork, true, true},
      {CURLE_SEND_FAIL_REWIND, ErrorKind::kNetwork, true, true},
      {CURLE_HTTP2, ErrorKind::kNetwork, true, true},
      {CURLE_HTTP2_STREAM, ErrorKind::kNetwork, true, true},
      {CURLE_OPERATION_TIMEDOUT, ErrorKind::kTimeout, true, false},
      {CURLE_TOO_MANY_REDIRECTS, ErrorKind::kProtocol, false, true},
      {CURLE_UNSUPPORTED_PROTOCOL, ErrorKind::kProtocol, false, true},
      {CURLE_WEIRD_SERVER_REPLY, ErrorKind::kProtocol, false, true},
      {CURLE_BAD_CONTENT_ENCODING, ErrorKind::kProtocol, false, true},
      {CURLE_OUT_OF_MEMORY, ErrorKind::kProtocol, false, true},
      {CURLE_WRITE_ERROR, ErrorKind::kProtocol, false, true},
      {CURLE_FAILED_INIT, ErrorKind::kConfiguration, false, true},
  };
}

INSTANTIATE_TEST_SUITE_P(Codes, TransportTest, testing::ValuesIn(Codes()),
                         [](const auto& test) { return "Curl" + std::to_string(test.param.code); });

// What comes of a client certificate, from the same libraries.
TEST(ClientCertificateTest, TheServerRefusesIt) {
  for (const char* detail :
       {"OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0",
        "OpenSSL SSL_read: error:0A000418:SSL routines::tlsv1 alert unknown ca, errno 0",
        "error:0A000412:SSL routines::sslv3 alert bad certificate",
        "error:0A000415:SSL routines::ssl/tls alert certificate expired"}) {
    for (const CURLcode code : {CURLE_RECV_ERROR, CURLE_SSL_CONNECT_ERROR, CURLE_SEND_ERROR}) {
      const FailedAttempt verdict = CheckTransport(code, true, detail);
      EXPECT_THAT(verdict.message, HasSubstr("client_certificate_pem")) << detail;
      EXPECT_FALSE(verdict.transient) << detail;
    }
  }
  EXPECT_TRUE(CheckTransport(CURLE_RECV_ERROR, true,
                             "OpenSSL SSL_read: error:0A000438:SSL routines::tlsv1 alert internal error")
                  .transient);
}

// What libcurl 7.88 with OpenSSL 3 writes (and, where it differs, with OpenSSL 1.1).
struct Certificate {
  std::string detail;
  std::string problem;
};

class CertificateTest : public testing::TestWithParam<Certificate> {};

TEST_P(CertificateTest, TheMessageSaysWhatIsWrong) {
  const FailedAttempt verdict = CheckTransport(CURLE_PEER_FAILED_VERIFICATION, false, GetParam().detail);
  EXPECT_THAT(verdict.message, HasSubstr(GetParam().problem));
  EXPECT_THAT(verdict.message, Not(HasSubstr("example")));
  EXPECT_FALSE(verdict.transient);
}

std::vector<Certificate> Details() {
  return {
      {"SSL certificate problem: certificate has expired", "has expired"},
      {"SSL certificate problem: certificate is not yet valid", "not valid yet"},
      {"SSL: no alternative certificate subject name matches target host name 'a.example'", "another host"},
      {"SSL: no alternative certificate subject name matches target ipv4 address '127.0.0.1'", "another host"},
      {"SSL: certificate subject name 'b.example' does not match target host name 'a.example'", "another host"},
      {"SSL: certificate subject name 'has expired' does not match target host name 'self-signed.example'",
       "another host"},
      {"SSL certificate problem: Hostname mismatch", "another host"},
      {"SSL certificate problem: IP address mismatch", "another host"},
      {"SSL certificate problem: unable to get local issuer certificate", "unknown authority"},
      {"SSL certificate problem: unable to get issuer certificate", "unknown authority"},
      {"SSL certificate problem: self-signed certificate", "unknown authority"},
      {"SSL certificate problem: self-signed certificate in certificate chain", "unknown authority"},
      {"SSL certificate problem: self signed certificate in certificate chain", "unknown authority"},
      {"SSL certificate problem: unable to verify the first certificate", "unknown authority"},
      {"SSL certificate problem: certificate revoked", "was refused"},
      {"", "was refused"},
  };
}

INSTANTIATE_TEST_SUITE_P(Details, CertificateTest, testing::ValuesIn(Details()));

TEST(ProxyFailedTest, NamesTheProxyAndIsNoSignOfIgpt) {
  const struct {
    CURLcode code;
    bool transient;
    const char* words;
  } kCases[] = {
      {CURLE_COULDNT_RESOLVE_PROXY, true, "could not be resolved"},
      {CURLE_COULDNT_CONNECT, true, "refused the connection"},
      {CURLE_PROXY, true, "did not lead on"},
      {CURLE_PEER_FAILED_VERIFICATION, false, "certificate"},
      {CURLE_RECV_ERROR, true, "broke the connection"},
  };
  for (const auto& test : kCases) {
    const FailedAttempt verdict = ProxyFailed("proxy", 3128, test.code);
    EXPECT_EQ(verdict.error.kind, test.transient ? ErrorKind::kNetwork : ErrorKind::kTls);
    EXPECT_EQ(verdict.transient, test.transient);
    EXPECT_FALSE(verdict.reached);
    EXPECT_FALSE(IsOutage(verdict));
    EXPECT_THAT(verdict.message, HasSubstr("the proxy proxy:3128 "));
    EXPECT_THAT(verdict.message, HasSubstr(test.words));
  }
}

}  // namespace
}  // namespace igpt::internal
