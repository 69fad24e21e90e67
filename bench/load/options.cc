#include "bench/load/options.h"

#include <charconv>
#include <map>
#include <string_view>
#include <variant>

namespace igpt::bench {
namespace {

using Value = std::variant<std::string*, bool*, int*, double*>;

std::map<std::string_view, Value> Flags(Options& options) {
  return {
      {"target", &options.target},       {"protocol", &options.protocol},     {"method", &options.method},
      {"text", &options.text},           {"whole", &options.whole},           {"connections", &options.connections},
      {"in_flight", &options.in_flight}, {"every_ms", &options.every_ms},     {"warmup_s", &options.warmup_s},
      {"seconds", &options.seconds},     {"open_per_s", &options.open_per_s}, {"slow_readers", &options.slow_readers},
      {"slow_text", &options.slow_text}, {"tls_ca", &options.tls_ca},         {"tls_cert", &options.tls_cert},
      {"tls_key", &options.tls_key}};
}

template <typename Number>
bool ParseNumber(std::string_view text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *number);
  return error == std::errc() && stop == end && *number >= 0;
}

bool Set(std::string_view text, std::string* value) {
  *value = text;
  return true;
}
bool Set(std::string_view text, bool* value) {
  *value = text == "true";
  return *value || text == "false";
}
bool Set(std::string_view text, int* value) {
  return ParseNumber(text, value);
}
bool Set(std::string_view text, double* value) {
  return ParseNumber(text, value);
}

// The error of options that don't go together; empty: none.
std::string Check(const Options& options) {
  if (options.target.find(':') == std::string::npos) return "--target=HOST:PORT is required";
  if (options.protocol != "grpc" && options.protocol != "http") return "--protocol must be grpc or http";
  if (options.method != "ask" && options.method != "search") return "--method must be ask or search";
  if (options.whole && options.method != "ask") return "--whole needs --method=ask";
  if (options.connections < 1 || options.in_flight < 1) return "--connections and --in_flight must be at least 1";
  if (options.slow_readers > 0 && options.protocol != "grpc") return "--slow_readers needs --protocol=grpc";
  if (options.tls_cert.empty() != options.tls_key.empty()) return "set both --tls_cert and --tls_key or neither";
  if (!options.tls_cert.empty() && options.tls_ca.empty()) return "--tls_cert needs --tls_ca";
  return "";
}

}  // namespace

std::optional<Options> ParseOptions(const std::vector<std::string>& args, std::string* error) {
  Options options;
  const auto flags = Flags(options);
  for (const std::string_view arg : args) {
    const size_t equals = arg.find('=');
    const auto flag = arg.starts_with("--") ? flags.find(arg.substr(2, equals - 2)) : flags.end();
    if (flag == flags.end()) {
      *error = "unknown flag: " + std::string(arg);
      return std::nullopt;
    }
    std::string_view text = equals == arg.npos ? "" : arg.substr(equals + 1);
    if (equals == arg.npos && std::holds_alternative<bool*>(flag->second)) text = "true";
    if (!std::visit([text](auto* value) { return Set(text, value); }, flag->second)) {
      *error = "bad value: " + std::string(arg);
      return std::nullopt;
    }
  }
  *error = Check(options);
  if (!error->empty()) return std::nullopt;
  return options;
}

}  // namespace igpt::bench
