// What the head of an HTTP answer, or the lack of one, means. Pure. The only map from HTTP and libcurl to ErrorKind.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "igpt/internal/http/response_head.h"
#include "igpt/internal/policy/failed_attempt.h"
#include "igpt/internal/policy/route.h"

namespace igpt::internal {

// nullopt when the body is to be read (200; JSON, or where the route may stream also an event stream, or no content
// type at all; no content coding); else what is wrong.
std::optional<FailedAttempt> CheckHead(const Route& route, const ResponseHead& head, absl::Time now);

// Whether the content type is text/event-stream, with or without parameters, in any case.
bool IsEventStream(std::string_view content_type);

// What a libcurl result other than CURLE_OK means. `curl_code` is a CURLcode; `request_sent` whether a byte of the
// request may have left. The only timeout that libcurl may have been given is the one for connecting. A certificate
// that is expired, for another host, or of an unknown authority is not transient, and the message says which (`detail`
// is libcurl's error buffer, used only for that).
FailedAttempt CheckTransport(int curl_code, bool request_sent, std::string_view detail);

// The proxy there answered with this HTTP status instead of leading on to iGPT.
FailedAttempt ProxyRefused(std::string_view host, int port, int status);

// The proxy there could not be reached, or failed in another way before it led on to iGPT; what libcurl says of that.
FailedAttempt ProxyFailed(std::string_view host, int port, int curl_code);

// The host's name could not be looked up; `why` is the system's word for it.
FailedAttempt LookupFailed(std::string_view why);

// A limit of Options passed: "connect", "first_byte", "idle" or "total".
FailedAttempt TimedOut(std::string_view timer);

}  // namespace igpt::internal
