#include "service/config/config.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "igpt/error.h"
#include "igpt/version.h"
#include "service/config/trace_variables.h"
#include "service/system/host_port.h"

namespace igptd {
namespace {

using absl::ZeroDuration;

constexpr absl::Duration kMinTimeout = absl::Milliseconds(1);
constexpr size_t kMaxKeyFileBytes = 4096;
constexpr size_t kMinHashKeyBytes = 16;

// The SDK's objection to an option or key, without the option's name.
absl::Status Unnamed(const absl::Status& status) {
  const std::optional<igpt::Error> error = igpt::ErrorOf(status);
  if (!error || error->violations.empty()) return status;
  return absl::InvalidArgumentError(error->violations.front().description);
}

// A flag for an option of the SDK, which validates it. `make` makes the flag without that validation.
template <typename T, typename Make>
FlagValue ClientOption(igpt::Options& options, T igpt::Options::*option, Make make) {
  FlagValue flag = make(options.*option);
  flag.set = [&options, option, make](const std::string& value) {
    igpt::Options probe;
    probe.api_key = "unused";
    absl::Status set = make(probe.*option).set(value);
    if (!set.ok()) return set;
    const absl::Status valid = igpt::Validate(probe);
    if (!valid.ok()) return Unnamed(valid);
    options.*option = probe.*option;
    return absl::OkStatus();
  };
  return flag;
}

auto TextOf(const char* hint) {
  return [hint](std::string& variable) { return Text(variable, hint); };
}
FlagValue Timeout(absl::Duration& variable) {
  return Duration(variable, kMinTimeout);
}

FlagValue Http(igpt::HttpVersion& variable) {
  using igpt::HttpVersion;
  static constexpr std::pair<const char*, HttpVersion> kVersions[] = {
      {"auto", HttpVersion::kAuto}, {"1.1", HttpVersion::k1_1}, {"2", HttpVersion::k2}};
  std::string now;
  for (const auto& [name, version] : kVersions) {
    if (version == variable) now = name;
  }
  return {"VERSION", now, [&variable](const std::string& value) {
            for (const auto& [name, version] : kVersions) {
              if (value != name) continue;
              variable = version;
              return absl::OkStatus();
            }
            return absl::InvalidArgumentError("must be auto, 1.1 or 2");
          }};
}

// Deliberately an error: every user of the machine can read a command line.
Flag KeyFlag() {
  return {"igpt_api_key", "", {"", "", [](const std::string&) {
                                 return absl::InvalidArgumentError(
                                     "no such flag; set the variable IGPT_API_KEY or use --igpt_api_key_file");
                               }}};
}

// A certificate needs its key, and the callers' authorities need both.
std::vector<std::string> CheckTls(const Config& config) {
  const bool certificate = !config.tls_cert_file.empty();
  const bool key = !config.tls_key_file.empty();
  std::vector<std::string> problems;
  if (certificate && !key) problems.emplace_back("--tls_cert_file: needs --tls_key_file; set both or neither");
  if (key && !certificate) problems.emplace_back("--tls_key_file: needs --tls_cert_file; set both or neither");
  if (!config.tls_client_ca_file.empty() && !certificate && !key) {
    problems.emplace_back("--tls_client_ca_file: needs --tls_cert_file and --tls_key_file; set all or none");
  }
  return problems;
}

// igptd gives access to people's mail, so it serves anyone who can connect only where that was asked for, or where
// only this machine can connect. The sandbox holds nobody's mail.
std::vector<std::string> CheckCallers(const Config& config) {
  if (!config.callers_file.empty()) {
    if (!config.allow_any_caller) return {};
    return {"--allow_any_caller: cannot be combined with --callers_file, which says who may call; remove one of them"};
  }
  if (config.allow_any_caller || config.sandbox || IsLoopback(ParseHostPort(config.listen)->host)) return {};
  return {
      "no callers file: anyone who can reach --listen could read every user's mail; say who may call with "
      "--callers_file, or allow everyone with --allow_any_caller, or listen on a loopback address, such as "
      "127.0.0.1:50051"};
}

std::vector<std::string> CheckAddresses(const Config& config) {
  std::vector<std::pair<std::string, HostPort>> listeners;
  const auto add = [&listeners](const char* flag, const std::string& address) {
    if (const std::optional<HostPort> parsed = ParseHostPort(address)) listeners.emplace_back(flag, *parsed);
  };
  add("--listen", config.listen);
  add("--admin_listen", config.admin_listen);
  add("--probe_listen", config.probe_listen);
  if (config.sandbox) add("--sandbox_listen", config.sandbox_listen);
  std::vector<std::string> problems;
  for (auto later = listeners.begin(); later != listeners.end(); ++later) {
    for (auto earlier = listeners.begin(); earlier != later; ++earlier) {
      if (!MayCollide(earlier->second, later->second)) continue;
      problems.push_back(absl::StrCat(later->first, ": has the port of ", earlier->first, "; choose another"));
    }
  }
  return problems;
}

std::vector<std::string> CheckHttp(const Config& config) {
  const bool https = !config.sandbox && absl::StartsWithIgnoreCase(config.client.base_url, "https://");
  if (https || config.client.http_version != igpt::HttpVersion::k2) return {};
  return {
      "--igpt_http: must be auto or 1.1 with --sandbox or an http:// --igpt_base_url, as HTTP/2 is agreed on within "
      "TLS"};
}

// Conflicts between values that are each valid.
std::vector<std::string> CheckTogether(const Config& config, const std::vector<Flag>& flags) {
  const auto source = [&flags](const std::string& name) {
    return std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) { return flag.name == name; })->source;
  };
  const auto source_if = [&source](bool holds, const std::string& name) { return holds ? source(name) : ""; };
  std::vector<std::string> problems = CheckTls(config);
  for (const auto& check : {CheckCallers, CheckAddresses, CheckHttp}) {
    for (std::string& problem : check(config)) problems.push_back(std::move(problem));
  }
  const std::string key = config.client.api_key.empty() ? "" : "IGPT_API_KEY";
  const std::string key_file = source_if(!config.igpt_api_key_file.empty(), "igpt_api_key_file");
  if (config.sandbox) {
    const std::string proxy = source_if(!config.client.proxy.empty(), "igpt_proxy");
    for (const std::string& other : {source("igpt_base_url"), proxy, key, key_file}) {
      if (other.empty()) continue;
      problems.push_back(absl::StrCat(other, ": cannot be combined with ", source("sandbox"),
                                      ", which replaces iGPT; remove one of them"));
    }
    return problems;
  }
  if (key.empty() && key_file.empty()) {
    problems.push_back(
        "no iGPT key: set the variable IGPT_API_KEY or use --igpt_api_key_file, or start with --sandbox, which needs "
        "none");
  }
  if (!key.empty() && !key_file.empty()) {
    problems.push_back(absl::StrCat(key, ": cannot be combined with ", key_file, "; remove one of them"));
  }
  for (const std::string& detail : {source("sandbox_listen"), source_if(config.sandbox_faults, "sandbox_faults")}) {
    if (!detail.empty()) problems.push_back(absl::StrCat(detail, ": needs --sandbox; set both or neither"));
  }
  return problems;
}

}  // namespace

std::vector<Flag> Flags(Config& config) {
  using O = igpt::Options;
  O& client = config.client;
  return {
      {"listen", "the address for gRPC; port 0 picks a free port", Address(config.listen)},
      {"port_file", "a file to write the gRPC port to, once igptd is serving", Text(config.port_file, "PATH")},
      {"admin_listen", "metrics, health and configuration over HTTP; empty is off",
       OptionalAddress(config.admin_listen)},
      {"probe_listen", "metrics and health alone, where a cluster can reach them",
       OptionalAddress(config.probe_listen)},
      {"tls_cert_file", "igptd's certificate chain (PEM), to serve over TLS; reloaded when it changes",
       Text(config.tls_cert_file, "PATH")},
      {"tls_key_file", "the private key of that certificate (PEM); reloaded when it changes",
       Text(config.tls_key_file, "PATH")},
      {"tls_client_ca_file", "authorities (PEM): callers then need a certificate from one of them",
       Text(config.tls_client_ca_file, "PATH")},
      {"callers_file", "who may call, and for which users (JSON); reloaded when it changes",
       Text(config.callers_file, "PATH")},
      {"allow_any_caller", "serve anyone who can connect, for any user, without a callers file",
       Boolean(config.allow_any_caller)},
      {"igpt_base_url", "the base URL of the iGPT API", ClientOption(client, &O::base_url, TextOf("URL"))},
      {"igpt_ca_file", "authorities (PEM) to trust instead of the system's; reloaded when it changes",
       ClientOption(client, &O::ca_file, TextOf("PATH"))},
      {"igpt_proxy", "a proxy for requests to iGPT; http_proxy and similar variables are ignored",
       ClientOption(client, &O::proxy, TextOf("URL"))},
      {"igpt_http", "HTTP with iGPT: 1.1, 2, or auto: 2 if iGPT and libcurl can, else 1.1",
       ClientOption(client, &O::http_version, Http)},
      {"igpt_api_key_file", "a file that holds the iGPT key; reloaded when it changes",
       Text(config.igpt_api_key_file, "PATH")},
      {"default_user", "the user for requests that name none", ClientOption(client, &O::user, TextOf("USER"))},
      {"sandbox", "use the built-in stand-in for iGPT, which needs no key", Boolean(config.sandbox)},
      {"sandbox_listen", "the address for the sandbox; port 0 picks a free port", Address(config.sandbox_listen)},
      {"sandbox_faults", "let requests ask the sandbox for faults (x-sandbox-fault)", Boolean(config.sandbox_faults)},
      {"max_retries", "how many times a request is sent to iGPT at most, including the first",
       ClientOption(client, &O::max_retries, Integer)},
      {"backoff_base", "the longest wait before the second time", ClientOption(client, &O::backoff_base, Timeout)},
      {"backoff_factor", "how many times longer each further wait may be",
       ClientOption(client, &O::backoff_factor, Integer)},
      {"connect_timeout", "the limit for name resolution, TCP and TLS, in each attempt",
       ClientOption(client, &O::connect_timeout, Timeout)},
      {"first_byte_timeout", "the limit for the first byte of iGPT's answer, in each attempt",
       ClientOption(client, &O::first_byte_timeout, Timeout)},
      {"idle_timeout", "the longest pause within an answer from iGPT", ClientOption(client, &O::idle_timeout, Timeout)},
      {"max_call_duration", "the limit for a whole call, retries included",
       ClientOption(client, &O::max_call_duration, Timeout)},
      {"heartbeat_interval", "the longest silence in an Ask's stream before a heartbeat; 0 is off",
       Duration(config.heartbeat_interval, ZeroDuration())},
      {"stalled_reader_timeout", "how long a caller may stop reading before its call ends",
       Timeout(config.stalled_reader_timeout)},
      {"max_answer_bytes", "the largest answer from iGPT; of a stream, all events together",
       ClientOption(client, &O::max_answer_bytes, Bytes)},
      {"max_event_bytes", "the largest event of a stream", ClientOption(client, &O::max_event_bytes, Bytes)},
      {"max_in_flight", "how many calls may run at once; 0 is no limit", Integer(config.admission.max_in_flight)},
      {"max_in_flight_per_caller", "how many of them one caller may have by default; 0 is no limit",
       Integer(config.admission.max_in_flight_per_caller)},
      {"drain_delay", "how long igptd still accepts calls after SIGTERM", Duration(config.drain_delay, ZeroDuration())},
      {"drain_timeout", "how long running calls may continue after that",
       Duration(config.drain_timeout, ZeroDuration())},
      {"log_level", "trace, debug, info, warn or error",
       Choice(config.log_level, {"trace", "debug", "info", "warn", "error"})},
      {"log_format", "text, json, or auto: text on a terminal, json otherwise",
       Choice(config.log_format, {"auto", "text", "json"})},
      {"user_hash_key_file", "a file with the secret for hashes of users in the log; default: the iGPT key",
       Text(config.user_hash_key_file, "PATH")},
      {"channelz", "serve grpc.channelz.v1.Channelz: connections, their peers and their call counts",
       Boolean(config.channelz)},
      {"allow_core_dumps", "allow core dumps when igptd crashes; they contain keys, questions and answers",
       Boolean(config.allow_core_dumps)},
      {"check_config", "check the configuration and exit", Boolean(config.check_config)},
      {"help", "print this and exit", Boolean(config.help)},
      {"version", "print the version and exit", Boolean(config.version)},
  };
}

absl::StatusOr<Config> ParseConfig(const std::vector<std::string>& args, const Environment& environment) {
  Config config;
  config.client.client_name = absl::StrCat("igptd/", igpt::kVersion);
  std::vector<Flag> flags = Flags(config);
  flags.push_back(KeyFlag());
  std::vector<std::string> problems = ParseFlags(args, environment, flags);
  if (config.help || config.version) return config;

  for (std::string& unknown : UnknownVariables(environment, flags)) problems.push_back(std::move(unknown));
  const auto variable = environment.find("IGPT_API_KEY");
  const std::string key = variable == environment.end() ? "" : variable->second;
  if (!key.empty()) {
    config.client.api_key = key;
    const absl::Status valid = igpt::ValidateApiKey(key);
    if (!valid.ok()) problems.push_back(absl::StrCat("IGPT_API_KEY: ", Unnamed(valid).message()));
  }
  for (const Flag& now : Flags(config)) {
    const auto set = std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) { return flag.name == now.name; });
    config.settings.push_back({now.name, now.value.text, set->source});
  }
  if (!key.empty()) config.settings.push_back({"igpt_api_key", key, "IGPT_API_KEY"});
  config.traces = ParseTraceVariables(environment, config.warnings);
  // Conflicts are worth reporting only once every value is valid.
  if (problems.empty()) problems = CheckTogether(config, flags);
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "; "));
  return config;
}

std::string HelpText() {
  Config defaults;
  return absl::StrCat(
      "igptd ", igpt::kVersion, ": a gRPC service in front of the iGPT API\n\n", "Usage: igptd [--name=value]...\n",
      "       igptd health [--name=value]...  (whether an igptd serves; igptd health --help tells more)\n"
      "       igptd hash-token  (an entry for the callers file, from a token on its input)\n\n",
      FlagsHelp(Flags(defaults)),
      "\n"
      "Each flag can be set by an environment variable too: IGPTD_LOG_LEVEL=warn is --log_level=warn.\n"
      "A flag wins over its variable. Durations are written 250ms, 15s, 1m30s; sizes 65536, 64KiB, 16MiB.\n"
      "The iGPT key is taken from the variable IGPT_API_KEY or from --igpt_api_key_file.\n"
      "Spans go where OpenTelemetry's variables say, such as OTEL_EXPORTER_OTLP_ENDPOINT.\n");
}

absl::StatusOr<std::string> ParseUserHashKeyFile(const std::string& path, const std::string& text) {
  const auto error = [&path](const std::string& what) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file ", path, " of --user_hash_key_file ", what, "; 32 random bytes are a good secret"));
  };
  if (text.size() > kMaxKeyFileBytes) return error("is over 4 KiB");
  if (text.size() < kMinHashKeyBytes) return error("holds less than 16 bytes");
  return text;
}

absl::StatusOr<std::string> ParseApiKeyFile(const std::string& path, const std::string& text) {
  const auto error = [&path](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat("the key file ", path, " ", what));
  };
  if (text.size() > kMaxKeyFileBytes) return error("is over 4 KiB; it must hold the iGPT key and nothing else");
  absl::string_view key = text;
  if (absl::ConsumeSuffix(&key, "\n")) absl::ConsumeSuffix(&key, "\r");
  if (key.empty()) return error("is empty; it must hold the iGPT key");
  if (!igpt::ValidateApiKey(std::string(key)).ok()) {
    return error("must hold the iGPT key and nothing else: one line of visible ASCII");
  }
  return std::string(key);
}

}  // namespace igptd
