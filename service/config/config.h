// igptd's configuration, from flags and environment variables. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "igpt/options.h"
#include "service/config/flags.h"
#include "service/limits/admission.h"
#include "service/observe/trace_options.h"

namespace igptd {

// Members are named like the flags; those of the SDK, like its options. Their defaults are the flags' defaults.
struct Config {
  std::string listen = "0.0.0.0:50051";
  std::string port_file;                        // empty: none
  std::string admin_listen = "127.0.0.1:9090";  // empty: off
  std::string probe_listen;                     // empty: off

  // Paths of PEM files. Empty: no TLS. Without the last one, callers need no certificate.
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_client_ca_file;

  std::string callers_file;       // empty: anyone who can connect may call
  bool allow_any_caller = false;  // even if `listen` is not a loopback address

  // How to reach iGPT. `api_key` holds IGPT_API_KEY. It is empty if the key is in igpt_api_key_file, or if `sandbox`
  // replaces iGPT: then `base_url` has to be replaced too, once the sandbox is running.
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
  std::string user_hash_key_file;   // empty: the iGPT key keys the hashes

  bool channelz = false;
  bool allow_core_dumps = false;
  bool check_config = false;
  bool help = false;
  bool version = false;

  TraceOptions traces;  // from OpenTelemetry's variables

  // What igptd does otherwise than a variable says, a line each.
  std::vector<std::string> warnings;

  // The effective value of every flag, to show to operators.
  std::vector<Setting> settings;
};

// Every flag, in the order of the help text. The flags set members of `config`, which must outlive the table; the
// values that it has now are the defaults.
std::vector<Flag> Flags(Config& config);

// Reads the command line (without the program's name) and the environment. Returns INVALID_ARGUMENT with every problem
// in one line: each names the flag or variable, what is wrong and the remedy, and never repeats a value. With --help or
// --version, all other problems are ignored.
absl::StatusOr<Config> ParseConfig(const std::vector<std::string>& args, const Environment& environment);

// The output of --help.
std::string HelpText();

// The secret in the file of --user_hash_key_file: all of its bytes. Returns INVALID_ARGUMENT if they are fewer than 16
// or over 4 KiB. The message names the file and never repeats its contents.
absl::StatusOr<std::string> ParseUserHashKeyFile(const std::string& path, const std::string& text);

// The key in a key file's text, without the final line end. Returns INVALID_ARGUMENT if the text is empty, over 4 KiB,
// or not one line of visible ASCII. The message names the file and never repeats its contents.
absl::StatusOr<std::string> ParseApiKeyFile(const std::string& path, const std::string& text);

}  // namespace igptd
