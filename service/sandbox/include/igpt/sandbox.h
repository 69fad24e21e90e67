// A local stand-in for iGPT: an HTTP server that answers as the real one does, with state, so that everything runs
// without a key.
//
//   auto sandbox = igpt::Sandbox::Start();
//   … a client with .api_key = igpt::kSandboxApiKey, .user = "demo", .base_url = (*sandbox)->base_url() …
//
// - The user "demo" has a mailbox from the start. Anybody else gets one by Authorize: opening its URL connects it.
//   Users see their own copy only.
// - Ask and Run answer with quotations from the messages found; a run's words come about 15 ms apart.
// - Every response has the header "X-Sandbox: igptd", and every answer in prose begins by saying so.
// - With `faults`, requests can ask to be answered badly.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace igpt {

// The key to send as bearer; any other is answered {"error": "auth"}.
inline constexpr char kSandboxApiKey[] = "ak:sandbox";

struct SandboxOptions {
  std::string listen = "127.0.0.1:0";  // host:port; port 0 picks a free one

  // Obey the header x-sandbox-fault; otherwise it is ignored. It holds a list, separated by ";". A whole answer counts
  // as one event, number 0. N counts whole events that come first; an event that is broken takes the place of event N.
  //
  // - delay=500ms: wait before anything is answered (ms, s, m).
  // - status=503: answer with this HTTP status; a 3xx has a Location on the sandbox where nothing is.
  // - retry-after=2: with `status`, send this Retry-After, whatever it is.
  // - html: answer 200 with a login page.
  // - empty: answer 200 with no body.
  // - error=CODE: answer {"error": "CODE"}.
  // - after=N: with `error`, in a stream, send it as event N.
  // - cut=N: after N events, close the connection where more was due; a whole answer is cut in its middle.
  // - stall=N: after N events, send nothing more until the client goes away; a whole answer stops after its head.
  // - malformed=N: event N is JSON without its end.
  // - utf8=N: event N is not UTF-8.
  // - huge=BYTES: the event number `after`, 0 without it, is padded to exactly so many bytes.
  // - noend: the stream ends properly before its last event.
  // - split=K: the body is sent K bytes at a time.
  // - times=N: all this for the first N requests with the same x-request-id only; then no fault, to see retries.
  bool faults = false;
};

// Thread-safe; its threads take no signals.
class Sandbox {
 public:
  // INVALID_ARGUMENT or FAILED_PRECONDITION when it can't listen there; the message names the address and the remedy.
  // RESOURCE_EXHAUSTED when no thread can be started.
  static absl::StatusOr<std::unique_ptr<Sandbox>> Start(const SandboxOptions& options = {});

  // Stops serving and ends every stream, at once.
  ~Sandbox();

  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // "http://127.0.0.1:41234/v1"
  std::string base_url() const;

 private:
  class Impl;
  explicit Sandbox(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace igpt
