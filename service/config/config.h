// What igptd is told by flags and environment variables. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "igpt/options.h"
#include "service/config/flags.h"
#include "service/limits/admission.h"

namespace igptd {

// Named like the flags; what is the SDK's, like its options. The defaults here are the flags' defaults.
struct Config {
  std::string listen = "0.0.0.0:50051";
  std::string port_file;                      // empty: none
  std::string admin_listen = "0.0.0.0:9090";  // empty: off

  // Paths, PEM. Empty: no TLS; without the last, callers need no certificates.
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_client_ca_file;

  std::string callers_file;  // empty: whoever can connect may call

  // How to reach iGPT. `api_key` holds IGPT_API_KEY; it is empty when the key is in igpt_api_key_file, or when
  // `sandbox` takes iGPT's place: then `base_url` is to be replaced too, once the sandbox is up.
  igpt::Options client;
  std::string igpt_api_key_file;  // empty: none

  bool sandbox = false;
  std::string sandbox_listen = "127.0.0.1:0";
  bool sandbox_faults = false;

  absl::Duration heartbeat_interval = absl::Seconds(15);  // zero: off
  absl::Duration stalled_reader_timeout = absl::Minutes(5);

  AdmissionOptions admission;

  absl::Duration drain_delay = absl::Seconds(5);
  absl::Duration drain_timeout = absl::Seconds(30);

  std::string log_level = "info";   // trace, debug, info, warn, error
  std::string log_format = "auto";  // text, json; auto: text on a terminal, else json

  bool channelz = false;
  bool allow_core_dumps = false;
  bool check_config = false;
  bool help = false;
  bool version = false;

  // Every flag as it was set or is by default, for whoever runs igptd to look at.
  std::vector<Setting> settings;
};

// Every flag in the order of the help, over `config`, which must outlive the table: its values are the defaults when
// `config` is fresh.
std::vector<Flag> Flags(Config& config);

// The configuration of this command line (without the program's name) and environment. INVALID_ARGUMENT with every
// problem in one line: each names the flag or variable, what is wrong and the remedy, and no value. With --help or
// --version nothing else matters and nothing is wrong.
absl::StatusOr<Config> ParseConfig(const std::vector<std::string>& args, GetEnv getenv);

// What --help prints.
std::string HelpText();

// The key in what a key file holds, without the line end at its end. INVALID_ARGUMENT that names the file, and never
// holds what is in it, when that is empty, over 4 KiB or not one line of visible ASCII.
absl::StatusOr<std::string> ParseApiKeyFile(const std::string& path, const std::string& text);

}  // namespace igptd
