// The flags that every command takes.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "flags.h"

struct CommonFlags {
  std::string server = "127.0.0.1:50051";
  std::string user = "demo";
  absl::Duration timeout;
  std::string output = "text";
  bool tls = false;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string token_file;
  bool help = false;

  void AddTo(Flags& flags);

  // Whether they go together. An error says what is wrong. Sets `tls` if another flag implies it.
  absl::Status Check();

  bool json_output() const { return output == "json"; }
};
