// A local stand-in for iGPT: an HTTP server that answers as the real one does, with state, so that everything runs
// without a key.
//
// - The user "demo" has a mailbox from the start. Anybody else gets one by Authorize: opening its URL connects it.
//   Users see their own copy only.
// - Ask and Run answer with quotations from the messages found; a run's words come about 15 ms apart.
// - Every response has the header "X-Sandbox: igptd", and every answer in prose begins by saying so.
// - With `faults`, requests can ask to be answered badly (faults.h).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace igptd::sandbox {

// The key to send as bearer; any other is answered {"error": "auth"}.
inline constexpr char kSandboxApiKey[] = "ak:sandbox";

struct SandboxOptions {
  std::string listen = "127.0.0.1:0";  // host:port; port 0 picks a free one
  bool faults = false;                 // obey the header x-sandbox-fault; otherwise it is ignored
};

class Sandbox {
 public:
  // INVALID_ARGUMENT or FAILED_PRECONDITION when it can't listen there; the message names the address and the remedy.
  static absl::StatusOr<std::unique_ptr<Sandbox>> Start(const SandboxOptions& options);

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

}  // namespace igptd::sandbox
