// An HTTP answer from iGPT, or from whatever answers in its place: head and body, up to the error that the caller gets.
//
// Input: the route ('0' to '4'), the libcurl result and its message up to a line feed; the lines of the head, up to an
// empty one; the body.
#include <curl/curl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
#include "igpt/internal/http/head_reader.h"
#include "igpt/internal/http/http_call.h"
#include "igpt/internal/http/sse_parser.h"
#include "igpt/internal/json/codec.h"
#include "igpt/internal/json/reader.h"
#include "igpt/internal/policy/http_status.h"
#include "igpt/internal/string_view.h"

namespace igpt::internal {
namespace {

using igpt_fuzz::IsPrintableAscii;
using igpt_fuzz::Require;
using igpt_fuzz::RequireEqual;

constexpr absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr size_t kMaxEventBytes = 1 << 20;

// Decodes a body as an answer of this route. Returns the error, or OK.
absl::Status Decode(Route route, bool json_wanted, std::string body) {
  switch (route) {
    case Route::kAsk:
      return DecodeAnswer(std::move(body), {.json_wanted = json_wanted}).status();
    case Route::kSearch:
      return DecodeSearch(std::move(body), /*include_raw=*/false).status();
    case Route::kList:
      return DecodeList(std::move(body), /*include_raw=*/false).status();
    case Route::kDisconnect:
      return DecodeDisconnect(std::move(body), /*include_raw=*/false).status();
    case Route::kAuthorize:
      return DecodeAuthorize(std::move(body), /*include_raw=*/false).status();
  }
  return absl::InternalError("no such route");
}

absl::Status DecodeEvent(bool json_wanted, std::string data, std::string_view name) {
  return DecodeAskEvent(std::move(data), name, {.json_wanted = json_wanted}).status();
}

// Every message that a body can cause, except those with iGPT's own code. None contains anything from the body.
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
      for (const Route route : {Route::kAsk, Route::kSearch, Route::kList, Route::kDisconnect, Route::kAuthorize}) {
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
    RequireEqual(message, absl::StrCat("iGPT reported the error \"", error->api_code, "\""),
                 "a message holds nothing but the code");
  } else {
    Require(kKnown.count(message) == 1, "a message reveals nothing of the body");
  }
}

void CheckBody(Route route, const ResponseHead& head, std::string_view bytes) {
  for (const bool json_wanted : {false, true}) {
    if (route != Route::kAsk || !IsEventStream(head.content_type)) {
      std::string body = RoomForBody(head);
      Require(body.capacity() <= (1 << 20) + 2 * kJsonPadding, "no head makes the SDK take much memory");
      body += bytes;
      CheckStatus(Decode(route, json_wanted, std::move(body)));
      continue;
    }
    SseParser parser(kMaxEventBytes);
    const absl::Status fed = parser.Feed(bytes, [json_wanted](const SseEvent& event) {
      CheckStatus(DecodeEvent(json_wanted, event.data, event.event));
    });
    Require(fed.ok() || ErrorOf(fed)->kind == ErrorKind::kTooLarge, "an event stream fails only because of its size");
  }
}

// A verdict's message depends only on the status and, for 200, on the kind of fault, never on bytes that were sent.
void CheckVerdict(Route route, const ResponseHead& head, const HeadVerdict& verdict) {
  ResponseHead same;
  same.status = head.status;
  std::vector<std::string> messages;
  if (head.status == 200) {
    same.content_encoding = "gzip";
    messages.push_back(CheckHead(route, same, kNow)->message);
    same.content_encoding = "";
    same.content_type = "text/html";
  }
  messages.push_back(CheckHead(route, same, kNow)->message);
  Require(std::find(messages.begin(), messages.end(), verdict.message) != messages.end(),
          "a message reveals nothing of the head but its status");
  Require(!verdict.message.empty() && IsPrintableAscii(verdict.message), "a message is one line");

  const Error& error = verdict.failed.error;
  Require(error.http_status == head.status, "an error has the status");
  const std::optional<Error> carried = ErrorOf(MakeStatus(error, verdict.message));
  Require(carried.has_value() && carried->kind == error.kind && carried->http_status == error.http_status &&
              carried->retry_after == error.retry_after,
          "an error survives in a status");
  Require(!verdict.failed.transient || head.status == 429 || head.status >= 500, "only 429 and 5xx are retried");
  if (error.retry_after) {
    Require(*error.retry_after >= absl::ZeroDuration() && *error.retry_after <= absl::Hours(1), "0 to 1 h");
  }
}

void CheckTransportVerdict(int curl_code, std::string_view detail) {
  const HeadVerdict verdict = CheckTransport(curl_code, /*request_sent=*/true, detail);
  std::set<std::string> messages;
  for (const char* source : {"", "error:0: some routines: "}) {
    for (const char* words : {"", "does not match target", "has expired", "not yet valid", "issuer"}) {
      messages.insert(CheckTransport(curl_code, /*request_sent=*/true, absl::StrCat(source, words)).message);
    }
  }
  Require(messages.count(verdict.message) == 1 && !verdict.message.empty(), "a message reveals nothing of the details");
  Require(!verdict.failed.error.timer.empty() == (verdict.failed.error.kind == ErrorKind::kTimeout),
          "timers have names");
}

void Test(igpt_fuzz::Input input) {
  const auto route = static_cast<Route>(input.TakeNumber() % 5);
  // libcurl has about a hundred results, and a message for numbers beyond them too.
  const int curl_code = 1 + input.TakeNumber() % 120;
  CheckTransportVerdict(curl_code, input.TakeLine());

  HeadReader reader;
  auto took = HeadReader::Took::kLine;
  while (took == HeadReader::Took::kLine && !input.rest().empty()) {
    took = reader.TakeLine(std::string(input.TakeLine()) + "\n");
  }
  if (took != HeadReader::Took::kHead) return;
  Require(reader.TakeLine("Content-Type: text/event-stream\r\n") == HeadReader::Took::kLine, "trailers are skipped");

  const ResponseHead& head = reader.head();
  const std::optional<HeadVerdict> verdict = CheckHead(route, head, kNow);
  if (verdict.has_value()) {
    CheckVerdict(route, head, *verdict);
  } else {
    Require(head.status == 200, "only 200 has a body to read");
    CheckBody(route, head, input.rest());
  }
}

}  // namespace
}  // namespace igpt::internal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  igpt::internal::Test({data, size});
  return 0;
}
