// The admin port and the probe port: who hoards connections, asks for ranges, or is a web page.
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <ostream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "igpt/testing/internal/unique_fd.h"
#include "tests/fault/fault_case.h"
#include "tests/support/await.h"
#include "tests/support/http_client.h"
#include "tests/support/loopback.h"

namespace igpt::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Connects to "127.0.0.1:41234".
UniqueFd Connect(const std::string& address) {
  return ConnectToLoopback(std::stoi(address.substr(address.find(':') + 1)));
}

// Sends the text and returns all that comes back, up to the end of the connection.
std::string Said(const std::string& address, const std::string& text) {
  const UniqueFd connection = Connect(address);
  const timeval limit = {.tv_sec = absl::ToInt64Seconds(kWaitLimit), .tv_usec = 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
  std::string answer;
  char bytes[4096];
  for (ssize_t size; (size = recv(connection.get(), bytes, sizeof(bytes), 0)) > 0;) {
    answer.append(bytes, static_cast<size_t>(size));
  }
  return answer;
}

std::string Request(const std::string& method, const std::string& path, const std::string& headers,
                    const std::string& body = "") {
  return absl::StrCat(method, " ", path, " HTTP/1.1\r\n", headers, "Content-Length: ", body.size(), "\r\n\r\n", body);
}

// Row 80.

TEST(AdminPortTest, Row73_RangesAreIgnored) {
  const Igptd igptd;
  const std::string whole = igptd.Get("/configz").body;
  std::string many = "Range: bytes=0-";
  for (int i = 0; i < 5000; ++i) many += ",0-";
  for (const std::string& range : {many, std::string("Range: bytes=0-0"), std::string("Range: bytes=-1,0-")}) {
    const std::string answer =
        Said(igptd.process->admin_address(), Request("GET", "/configz", "Host: localhost\r\n" + range + "\r\n"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(answer.substr(std::min(answer.size(), answer.find("\r\n\r\n") + 4)), whole);
  }
}

// Row 81.

TEST(AdminPortTest, Row74_WebPagesAreKeptOutButNotProbes) {
  const Igptd igptd({"--probe_listen=127.0.0.1:0"});
  const std::string kForeign[] = {"Host: evil.example\r\n",
                                  "",
                                  "Host: localhost\r\nOrigin: https://evil.example\r\n",
                                  "Host: localhost\r\nOrigin: null\r\n",
                                  "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n",
                                  "Host: 127.0.0.1\r\nSec-Fetch-Site: same-site\r\n"};
  for (const std::string& headers : kForeign) {
    SCOPED_TRACE(headers);
    for (const char* method : {"GET", "HEAD", "POST"}) {
      const std::string refused = Said(igptd.process->admin_address(), Request(method, "/loglevel", headers, "debug"));
      EXPECT_THAT(refused, StartsWith("HTTP/1.1 403 "));
      EXPECT_THAT(refused, Not(HasSubstr("Access-Control")));
    }
    const std::string configz = Said(igptd.process->admin_address(), Request("GET", "/configz", headers));
    EXPECT_THAT(configz, StartsWith("HTTP/1.1 403 "));
    EXPECT_THAT(configz, Not(HasSubstr("--listen")));
    for (const char* path : {"/healthz", "/readyz", "/metrics"}) {
      for (const std::string& address : {igptd.process->admin_address(), igptd.process->probe_address()}) {
        EXPECT_THAT(Said(address, Request("GET", path, headers)), StartsWith("HTTP/1.1 200 "));
      }
    }
  }
  EXPECT_EQ(igptd.Get("/loglevel").body, "info\n");
}

// Row 82.

// Connections of which more than the limit are always open, each kind of them useless in its own way.
struct Hoarding {
  const char* name;
  size_t connections;
  const char* sent;  // by each
};
void PrintTo(const Hoarding& hoarding, std::ostream* out) {
  *out << hoarding.name;
}
class HoardingTest : public ::testing::TestWithParam<Hoarding> {};

TEST_P(HoardingTest, ProbesAreAnsweredAllTheSame) {
  Igptd igptd({"--probe_listen=127.0.0.1:0"});
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes."})"); });
  const std::string address = igptd.process->probe_address();
  std::atomic<bool> over = false;
  std::atomic<int> opened = 0;
  std::thread hoarder([&] {
    std::deque<UniqueFd> held;
    while (!over) {
      held.push_back(Connect(address));
      send(held.back().get(), GetParam().sent, std::strlen(GetParam().sent), MSG_NOSIGNAL);
      if (held.size() > GetParam().connections) held.pop_front();
      if (++opened > static_cast<int>(GetParam().connections)) absl::SleepFor(absl::Milliseconds(1));
    }
  });
  EXPECT_TRUE(AwaitTrue([&] { return opened > static_cast<int>(GetParam().connections); }));
  int answered = 0;
  constexpr int kProbes = 40;
  absl::Duration slowest = absl::ZeroDuration();
  for (int i = 0; i < kProbes; ++i) {
    const absl::Time start = absl::Now();
    const std::string path = i % 2 == 0 ? "/readyz" : "/healthz";
    if (HttpClient().Get("http://" + address + path).status == 200) ++answered;
    slowest = std::max(slowest, absl::Now() - start);
  }
  // A probe that is slow to send its request, as on a busy machine, may have to make way; all kubelets try again.
  EXPECT_GE(answered, kProbes - 2);
  RecordProperty("slowest_ms", static_cast<int>(absl::ToInt64Milliseconds(slowest)));
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  over = true;
  hoarder.join();
}

INSTANTIATE_TEST_SUITE_P(Kinds, HoardingTest,
                         ::testing::Values(Hoarding{"TwentySilent", 20, ""}, Hoarding{"HundredsSilent", 300, ""},
                                           Hoarding{"HalfARequest", 300, "GET /readyz HTTP/1.1\r\nHost: a"},
                                           Hoarding{"HalfABody", 300, "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\na"},
                                           Hoarding{"Nonsense", 300, "\x16\x03\x01\x02"},
                                           Hoarding{"UnreadMetrics", 300, "GET /metrics HTTP/1.1\r\n\r\n"}),
                         [](const auto& test) { return std::string("Row75_") + test.param.name; });

// What is sent drop by drop counts as a whole: each drop buys no new time.
TEST(AdminPortTest, Row75_ARequestHasToBeWholeSoon) {
  const Igptd igptd;
  const UniqueFd connection = Connect(igptd.process->admin_address());
  const bool ended = AwaitTrue([&] {
    send(connection.get(), "G", 1, MSG_NOSIGNAL);
    char byte;
    const ssize_t size = recv(connection.get(), &byte, 1, MSG_DONTWAIT);
    return size == 0 || (size < 0 && errno != EAGAIN);
  });
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace igpt::testing
