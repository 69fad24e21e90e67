// What iGPT, or whatever stands in its place, answers over HTTP: head and body, up to what the caller is told.
//
// Input: the route ('0' to '4'), the libcurl result, and its words about that up to a line feed; the answer's bytes.
#include <curl/curl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fuzz/input.h"
#include "fuzz/require.h"
#include "igpt/error.h"
#include "igpt/internal/call/endpoint.h"
#include "igpt/internal/call/whole_body.h"
#include "igpt/internal/http/response_head.h"
#include "igpt/internal/http/sse_parser.h"
#include "igpt/internal/json/codec.h"
#include "igpt/internal/json/reader.h"
#include "igpt/internal/policy/http_status.h"
#include "tests/support/canned_answer.h"

namespace igpt::internal {
namespace {

using igpt_fuzz::IsPrintableAscii;
using igpt_fuzz::Require;
using igpt_fuzz::RequireEqual;

constexpr absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr size_t kMaxEventBytes = 1 << 20;

constexpr Route kRoutes[] = {kAsk.route, kSearch.route, kList.route, kDisconnect.route, kAuthorize.route};
// A 403 that is not iGPT's names who answered, by two short tokens at most.
constexpr size_t kMaxMessageOf403 = 320;

// The error of a body that is read as an answer of that route; OK when it is one.
absl::Status Decode(const Route& route, bool json_wanted, std::string body) {
  if (route == kAsk.route) return DecodeAnswer(std::move(body), {.json_wanted = json_wanted}).status();
  if (route == kSearch.route) return DecodeSearch(std::move(body), /*include_raw=*/false).status();
  if (route == kList.route) return DecodeList(std::move(body), /*include_raw=*/false).status();
  if (route == kDisconnect.route) return DecodeDisconnect(std::move(body), /*include_raw=*/false).status();
  return DecodeAuthorize(std::move(body), /*include_raw=*/false).status();
}

absl::Status DecodeEvent(bool json_wanted, std::string data, std::string_view name) {
  return DecodeRunEvent(std::move(data), name, {.json_wanted = json_wanted}).status();
}

// Every message that a body can lead to, but those with iGPT's own code in them: none holds anything of the body.
std::set<std::string> KnownMessages() {
  std::set<std::string> messages;
  const auto add = [&messages](const absl::Status& status) { messages.insert(std::string(status.message())); };
  const std::string bodies[] = {"?",
                                "\xFF",
                                std::string(65, '['),
                                R"({"error":"auth"})",
                                R"({"error":"params"})",
                                "0",
                                R"({"output":"?"})",
                                "{}",
                                R"({"type":"run.done","output":"?"})"};
  for (const std::string& body : bodies) {
    for (const bool json_wanted : {false, true}) {
      for (const Route& route : kRoutes) {
        add(Decode(route, json_wanted, body));
      }
      add(DecodeEvent(json_wanted, body, ""));
    }
  }
  add(DecodeEvent(false, "{}", "\xFF"));
  return messages;
}

void CheckStatus(const absl::Status& status) {
  if (status.ok()) return;
  static const std::set<std::string> kKnown = KnownMessages();
  const std::optional<Error> error = ErrorOf(status);
  Require(error.has_value(), "every error has a kind");
  const std::string message(status.message());
  if (error->kind == ErrorKind::kApi) {
    Require(!error->api_code.empty() && error->api_code.size() <= 64 && IsPrintableAscii(error->api_code) &&
                error->api_code.find_first_of(" \"\\") == std::string::npos,
            "iGPT's code is a plain token");
    RequireEqual(message, absl::StrCat("iGPT reported the error \"", error->api_code, "\""), "a message holds no more");
  } else {
    Require(kKnown.count(message) == 1, "a message says nothing of the body");
  }
}

void CheckBody(const Route& route, const ResponseHead& head, std::string_view bytes) {
  for (const bool json_wanted : {false, true}) {
    if (route != kAsk.route || !IsEventStream(head.content_type)) {
      std::string body = RoomForBody(head);
      Require(body.capacity() <= (1 << 20) + 2 * kJsonPadding, "no head makes us take much memory");
      body += bytes;
      CheckStatus(Decode(route, json_wanted, std::move(body)));
      continue;
    }
    SseParser parser(kMaxEventBytes);
    const absl::Status fed = parser.Feed(bytes, [json_wanted](const SseEvent& event) {
      CheckStatus(DecodeEvent(json_wanted, event.data, event.event));
    });
    Require(fed.ok() || ErrorOf(fed)->kind == ErrorKind::kTooLarge, "an event stream fails only by its size");
  }
}

// A verdict's message depends on the status, and for 200 on what kind of thing is wrong: but for a 403, on no byte that
// was sent.
void CheckVerdict(const Route& route, const ResponseHead& head, const FailedAttempt& verdict) {
  ResponseHead same;
  same.status = head.status;
  std::vector<std::string> messages;
  if (head.status == 200) {
    same.content_encoding = "gzip";
    messages.push_back(CheckHead(route, same, kNow)->message);
    same.content_encoding = "";
    same.content_type = "text/html";
  }
  if (head.status == 403) {
    same.content_type = head.content_type;
    same.server = head.server;
    Require(verdict.message.size() <= kMaxMessageOf403, "a message is short");
  }
  messages.push_back(CheckHead(route, same, kNow)->message);
  Require(std::find(messages.begin(), messages.end(), verdict.message) != messages.end(),
          "a message says nothing of the head but its status");
  Require(!verdict.message.empty() && IsPrintableAscii(verdict.message), "a message is a line");

  const Error& error = verdict.error;
  Require(error.call.http_status == head.status, "an error has the status");
  const std::optional<Error> carried = ErrorOf(MakeStatus(error, verdict.message));
  Require(carried.has_value() && carried->kind == error.kind && carried->call.http_status == error.call.http_status &&
              carried->retry_after == error.retry_after,
          "an error survives being carried by a status");
  Require(!verdict.transient || head.status == 429 || head.status >= 500, "only 429 and 5xx are repeated");
  if (error.retry_after) {
    Require(*error.retry_after >= absl::ZeroDuration() && *error.retry_after <= absl::Hours(1), "0 to 1 h");
  }
}

void CheckTransportVerdict(int curl_code, std::string_view detail) {
  const FailedAttempt verdict = CheckTransport(curl_code, /*request_sent=*/true, detail);
  std::set<std::string> messages;
  for (const char* source : {"", "error:0: some routines: "}) {
    for (const char* words : {"", "does not match target", "has expired", "not yet valid", "issuer"}) {
      messages.insert(CheckTransport(curl_code, /*request_sent=*/true, absl::StrCat(source, words)).message);
    }
  }
  Require(messages.count(verdict.message) == 1 && !verdict.message.empty(), "a message says nothing of the details");
  Require(!verdict.error.timer.empty() == (verdict.error.kind == ErrorKind::kTimeout), "timers have names");
}

void Test(igpt_fuzz::Input input) {
  const Route& route = kRoutes[input.TakeNumber() % std::size(kRoutes)];
  // libcurl knows about a hundred results; it has words for numbers beyond them too.
  const int curl_code = 1 + input.TakeNumber() % 120;
  CheckTransportVerdict(curl_code, input.TakeLine());

  const testing::TransferReading reading = testing::ReadByTransfer(input.rest());
  if (!reading.head.has_value()) return;
  const ResponseHead& head = *reading.head;
  const std::optional<FailedAttempt> verdict = CheckHead(route, head, kNow);
  if (verdict.has_value()) {
    CheckVerdict(route, head, *verdict);
  } else {
    Require(head.status == 200, "only 200 has a body to read");
    CheckBody(route, head, reading.body);
  }
}

}  // namespace
}  // namespace igpt::internal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  igpt::internal::Test({data, size});
  return 0;
}
