// How a Client reaches iGPT. Names and defaults are the official SDKs' where those have the option.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "igpt/monotonic_time.h"

namespace igpt::inline sdk_v1 {

class Executor;
class Observer;

// Which HTTP a client speaks with iGPT.
enum class HttpVersion {
  kAuto,  // HTTP/2 where the server offers it within TLS, and this libcurl can be trusted with it; else HTTP/1.1
  k1_1,   // NOLINT(readability-identifier-naming): as HTTP/1.1
  k2,     // no other: a server without it fails the call, and Client::Create a libcurl that can't be trusted with it
};

struct Options {
  // Required, unless api_key_provider is set; sent as `Authorization: Bearer <api_key>`. Visible ASCII only.
  std::string api_key = {};
  // Gives the key in place of api_key, for keys that change. Asked before each attempt of a call that has no key of its
  // own, on the client's own thread: it must not block, so it gives what was fetched before. Its error, or a key that
  // api_key may not be, ends the call with kConfiguration and nothing sent; so does an exception. Optional; not with
  // api_key.
  std::function<absl::StatusOr<std::string>()> api_key_provider = nullptr;
  // For requests without a user of their own. Optional.
  std::string user = {};
  // https, or http to a loopback address. No userinfo, query or fragment.
  std::string base_url = "https://api.igpt.ai/v1";
  // Also http to other hosts, where whoever is on the way can read keys, questions and answers.
  bool allow_http = false;
  // With HTTP/2, up to 16 calls share a connection.
  HttpVersion http_version = HttpVersion::kAuto;

  // How often a request is sent at most, the first time included, as in the official Python SDK. At least 1.
  int max_retries = 3;
  // The wait after attempt n is random between 0 and backoff_base · backoff_factorⁿ⁻¹, or iGPT's Retry-After when that
  // is longer. At least 100 ms and 2.
  absl::Duration backoff_base = absl::Milliseconds(100);
  int backoff_factor = 2;

  // The timeouts are from 1 ms to 24 h.
  //
  // Name resolution, TCP and TLS together, per attempt.
  absl::Duration connect_timeout = absl::Seconds(10);
  // From the start of an attempt to the first byte of its answer.
  absl::Duration first_byte_timeout = absl::Seconds(120);
  // Between two pieces of an answer. Doesn't run while the reader holds the stream back.
  absl::Duration idle_timeout = absl::Seconds(120);
  // A whole call with its retries, also when CallOptions::deadline is later or absent.
  absl::Duration max_call_duration = absl::Minutes(15);

  // A whole answer; for a stream, all its events together. From 1 byte to 1 GiB.
  size_t max_answer_bytes = 16 << 20;
  // One event of a stream. From 1 byte to 1 GiB.
  size_t max_event_bytes = 1 << 20;

  // A PEM file of certificate authorities to trust in place of the system's, also for an https proxy. Read once, when
  // the client is created; refused if a certificate in it is not whole, or none is there. Optional.
  std::string ca_file = {};
  // The same as text. Takes the place of ca_file.
  std::string ca_pem = {};
  // A directory of such certificates under their hashes, as `openssl rehash` names them, in place of the system's.
  // Those of ca_file or ca_pem are trusted too. Read by each TLS handshake, on the client's own thread, so a mount that
  // may hang doesn't belong here. Refused if it is no directory. Optional.
  std::string ca_dir = {};
  // The certificate that this client shows to iGPT, not to a proxy, as PEM text, with those between it and its
  // authority after it; and its private key, which may not be encrypted. Both or none.
  std::string client_certificate_pem = {};
  std::string client_key_pem = {};
  // e.g. "http://proxy:3128", also with user:password@ before the host. The scheme is http (also without one), https,
  // socks5 or socks5h (the proxy resolves iGPT's name); nothing may follow the port. Empty: none; the environment's
  // proxy variables and NO_PROXY are ignored.
  std::string proxy = {};
  // Sent as `X-Client`, and first in `User-Agent`, e.g. "my-service/1.0". Visible ASCII. Empty: this library's own name
  // and version.
  std::string client_name = {};
  // All of `User-Agent`, in place of that. Visible ASCII, with single spaces only inside.
  std::string user_agent = {};
  // Further headers of every request, under the rules of CallOptions::headers. A call's own header of the same name, in
  // any case, takes their place.
  std::vector<std::pair<std::string, std::string>> headers = {};
  // How many connections to iGPT the client has at most, those that wait to be used again included. With HTTP/1.1 each
  // call needs one of its own. Further calls wait for theirs. 0: a quarter of the file descriptors that the process may
  // have.
  int max_connections = 0;
  // How many calls run at once. Further ones wait for their turn, in order of arrival, and until then for nothing but
  // their deadline and their end; a call that is repeated keeps its place, and a stream has one until all of it was
  // received, so a stream that nobody reads may keep it. 0: any number.
  int max_calls_in_flight = 0;
  // Is told about every request. Optional.
  std::shared_ptr<Observer> observer = nullptr;
  // Runs the callbacks. Optional; the default is a pool of threads, so a callback may block and may make blocking
  // calls.
  std::shared_ptr<Executor> executor = nullptr;
  // Takes lines for people, without a line end, about what the library did on its own: a request that failed and is
  // sent again, requests that were held back because iGPT fails (see CallOptions::throttle_group; at most one line a
  // second), a callback that is null or threw. They hold no key, no user and no text. Called on any thread of the
  // library and of its callers, on several at once too; must not block. What it throws is lost. Optional; without it,
  // only mistakes with callbacks are written, to stderr.
  std::function<void(std::string_view)> log = nullptr;
};

// Options of a single call.
struct CallOptions {
  // The call fails with kDeadline when it passes, e.g. MonotonicTime::Now() + absl::Seconds(5); retries never wait
  // beyond it.
  MonotonicTime deadline = MonotonicTime::InfiniteFuture();
  // The same, from the start of the call on. The earlier of the two counts.
  absl::Duration timeout = absl::InfiniteDuration();
  // Cancels the call, blocking ones too, in every phase: it ends with kAborted.
  std::stop_token stop = {};
  // Unless empty, used for this call in place of Options::api_key.
  std::string api_key = {};
  // Sent as X-Request-Id, and told in the call's answer, its error and its reports. Visible ASCII with spaces only
  // inside, at most kMaxNameBytes. Empty: the library makes one up, a random UUID.
  std::string request_id = {};
  // Further request headers, e.g. {"tracestate", …}. Names are tokens, and none that the library sets itself or that
  // frames the message (Authorization, Content-Length, …); values are visible ASCII, with spaces only inside. Anything
  // else is kInvalidRequest.
  std::vector<std::pair<std::string, std::string>> headers = {};
  // While iGPT fails most requests, new ones are held back. Whose they are matters: the failures of one user hold back
  // no other user, and those of a group no other group. Groups are told apart by any names. Empty: requests with the
  // same key are a group, and those with a provider's keys are one.
  std::string throttle_group = {};
  // The call's own span in a distributed trace, as a W3C `traceparent` of version 00. Each of the call's requests is
  // then a span below it: sent with a `traceparent` of its own, which RequestReport tells. Empty: the library sends
  // none. Not with a header of that name.
  std::string traceparent = {};
};

// Limits of requests. iGPT documents none: these keep a mistake from becoming a bill.
inline constexpr size_t kMaxInputBytes = 1 << 20;
inline constexpr size_t kMaxQueryBytes = 64 << 10;
inline constexpr size_t kMaxInstructionsBytes = 64 << 10;
inline constexpr size_t kMaxSchemaBytes = 256 << 10;
inline constexpr size_t kMaxNameBytes = 1024;  // user, id, service, scope, quality, reasoning_effort, a schema's name
inline constexpr size_t kMaxTextBytes = 8192;  // redirect_uri, state, filter_people
inline constexpr int kMaxJsonDepth = 64;

// INVALID_ARGUMENT that names every option that is out of range and its remedy; else OK.
absl::Status Validate(const Options& options);

// The same for a key alone: not empty, visible ASCII.
absl::Status ValidateApiKey(const std::string& api_key);

// The same for a user alone, as every request is checked: UTF-8 of 1 to kMaxNameBytes bytes, all of whose characters
// can be seen, without a space at either end.
absl::Status ValidateUser(const std::string& user);

}  // namespace igpt::inline sdk_v1
