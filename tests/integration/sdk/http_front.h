// Real servers that lead on from https to a scripted HTTP/1.1 server, as what stands before iGPT does.
#pragma once

#include <memory>
#include <string>

#include "tests/support/certificate.h"
#include "tests/support/scratch.h"
#include "tests/support/subprocess.h"

namespace igpt::testing {

enum class FrontKind { kHaproxy, kNginx, kNghttpx, kCaddy };

// "haproxy" and so on.
const char* NameOf(FrontKind kind);

// Listens on 127.0.0.1, offers HTTP/2 and HTTP/1.1, passes each byte on at once, and gives up on a silent server after
// kFrontPatienceSeconds.
inline constexpr int kFrontPatienceSeconds = 2;
class HttpFront {
 public:
  // Fails the test if the program is not installed, or doesn't start.
  HttpFront(FrontKind kind, int target_port);

  std::string url(const std::string& path) const;
  std::string authority() const { return authority_.Pem(); }

 private:
  const Authority authority_ = Authority("front");
  const ScratchDirectory directory_;
  int port_ = 0;
  std::unique_ptr<Subprocess> process_;
};

}  // namespace igpt::testing
