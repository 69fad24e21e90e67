#include "common_flags.h"

void CommonFlags::AddTo(Flags& flags) {
  flags.AddText("server", "HOST:PORT", "where igptd is", &server);
  flags.AddText("user", "USER", "whose mail and documents", &user);
  flags.AddDuration("timeout", "DURATION", "how long the answer may take, e.g. 90s or 5m", &timeout);
  flags.AddText("output", "text|json", "text for people, or JSON for programs: one object per line", &output);
  flags.AddSwitch("tls", "use TLS; the flags for its files do so too", &tls);
  flags.AddText("ca-file", "FILE", "the certificate authorities to trust (PEM) instead of the system's", &ca_file);
  flags.AddText("cert-file", "FILE", "your certificate (PEM), if igptd asks for one", &cert_file);
  flags.AddText("key-file", "FILE", "its private key (PEM)", &key_file);
  flags.AddText("token-file", "FILE", "your token; without this flag, that of the environment variable IGPT_TOKEN",
                &token_file);
  flags.AddSwitch("help", "print this and exit", &help);
}

absl::Status CommonFlags::Check() {
  if (output != "text" && output != "json") return absl::InvalidArgumentError("--output must be text or json");
  if (cert_file.empty() != key_file.empty()) {
    return absl::InvalidArgumentError("--cert-file and --key-file need each other");
  }
  tls = tls || !ca_file.empty() || !cert_file.empty();
  return absl::OkStatus();
}
