#include "igpt/options.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "igpt/error.h"
#include "igpt/internal/http/base_url.h"
#include "igpt/internal/http/http2.h"
#include "igpt/internal/policy/pem.h"
#include "igpt/internal/policy/request_checker.h"

namespace igpt::inline sdk_v1 {
namespace {

constexpr absl::Duration kMinBackoffBase = absl::Milliseconds(100);
constexpr absl::Duration kMinTimeout = absl::Milliseconds(1);
constexpr absl::Duration kMaxTimeout = absl::Hours(24);  // libcurl counts in milliseconds that fit an int
constexpr size_t kMaxLimitBytes = 1 << 30;               // far below the 4 GiB that simdjson can address

bool IsVisibleAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isgraph);
}

bool IsUserAgent(std::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isprint) && !text.starts_with(' ') && !text.ends_with(' ') &&
         text.find("  ") == text.npos;
}

void CheckTimeout(std::string field, absl::Duration timeout, std::vector<FieldViolation>& violations) {
  if (timeout >= kMinTimeout && timeout <= kMaxTimeout) return;
  violations.push_back({std::move(field), absl::StrCat("must be from ", absl::FormatDuration(kMinTimeout), " to ",
                                                       absl::FormatDuration(kMaxTimeout))});
}

void CheckLimit(std::string field, size_t limit, std::vector<FieldViolation>& violations) {
  if (limit >= 1 && limit <= kMaxLimitBytes) return;
  violations.push_back({std::move(field), absl::StrCat("must be from 1 to ", kMaxLimitBytes, " bytes")});
}

void CheckPem(std::string field, std::string problem, std::vector<FieldViolation>& violations) {
  if (!problem.empty()) violations.push_back({std::move(field), std::move(problem)});
}

// OpenSSL takes what follows a colon for another directory.
bool IsDirectory(const std::string& path) {
  std::error_code ignored;
  return path.find('\0') == std::string::npos && path.find(':') == std::string::npos &&
         std::filesystem::is_directory(path, ignored) && access(path.c_str(), X_OK) == 0;
}

void CheckClientCertificate(const Options& options, std::vector<FieldViolation>& violations) {
  const bool certificate = !options.client_certificate_pem.empty();
  const bool key = !options.client_key_pem.empty();
  if (certificate) {
    CheckPem("client_certificate_pem", internal::CertificatesProblem(options.client_certificate_pem), violations);
  } else if (key) {
    violations.push_back({"client_certificate_pem", "must be set with client_key_pem"});
  }
  if (key) {
    CheckPem("client_key_pem", internal::PrivateKeyProblem(options.client_key_pem), violations);
  } else if (certificate) {
    violations.push_back({"client_key_pem", "must be set with client_certificate_pem"});
  }
}

}  // namespace

absl::Status Validate(const Options& options) {
  std::vector<FieldViolation> violations;
  const auto add = [&violations](std::string field, std::string description) {
    violations.push_back({std::move(field), std::move(description)});
  };

  if (options.api_key_provider != nullptr) {
    if (!options.api_key.empty()) add("api_key", "must be empty where there is an api_key_provider");
  } else if (const absl::Status key = ValidateApiKey(options.api_key); !key.ok()) {
    violations = ErrorOf(key)->violations;
  }
  if (!options.user.empty()) {
    internal::RequestChecker checker(options.user);
    checker.User("");
    for (FieldViolation& violation : std::move(checker).Finish()) violations.push_back(std::move(violation));
  }
  const auto base_url = internal::ParseBaseUrl(options.base_url, options.allow_http);
  if (!base_url.ok()) add("base_url", std::string(base_url.status().message()));
  if (options.http_version == HttpVersion::k2) {
    if (std::string problem = internal::Http2Problem(); !problem.empty()) {
      add("http_version", std::move(problem));
    } else if (base_url.ok() && base_url->scheme != "https") {
      add("http_version", "must be auto or 1.1 with an http:// base_url: HTTP/2 is agreed on within TLS");
    }
  }
  if (options.max_retries < 1) add("max_retries", "must be at least 1: it counts the first request too");
  if (options.max_connections < 0) add("max_connections", "must not be negative; 0 is the default");
  if (options.max_calls_in_flight < 0) add("max_calls_in_flight", "must not be negative; 0 is no limit");
  if (options.backoff_base < kMinBackoffBase) {
    add("backoff_base", absl::StrCat("must be at least ", absl::FormatDuration(kMinBackoffBase)));
  }
  if (options.backoff_factor < 2) add("backoff_factor", "must be at least 2");
  CheckTimeout("connect_timeout", options.connect_timeout, violations);
  CheckTimeout("first_byte_timeout", options.first_byte_timeout, violations);
  CheckTimeout("idle_timeout", options.idle_timeout, violations);
  CheckTimeout("max_call_duration", options.max_call_duration, violations);
  CheckLimit("max_answer_bytes", options.max_answer_bytes, violations);
  CheckLimit("max_event_bytes", options.max_event_bytes, violations);
  // libcurl takes these as C strings.
  if (options.ca_file.find('\0') != std::string::npos) add("ca_file", "must not hold a NUL character");
  if (!options.ca_pem.empty()) CheckPem("ca_pem", internal::CertificatesProblem(options.ca_pem), violations);
  if (!options.ca_dir.empty() && !IsDirectory(options.ca_dir)) {
    add("ca_dir", "must be a directory of certificates under their hashes (openssl rehash), with no colon in its path");
  }
  CheckClientCertificate(options, violations);
  if (!IsVisibleAscii(options.proxy)) {
    add("proxy", "must be a URL in visible ASCII, e.g. http://proxy:3128");
  } else if (const auto proxy = internal::ParseProxy(options.proxy); !options.proxy.empty() && !proxy.ok()) {
    add("proxy", std::string(proxy.status().message()));
  }
  if (!IsVisibleAscii(options.client_name)) add("client_name", "must be visible ASCII, e.g. my-service/1.0");
  if (!IsUserAgent(options.user_agent)) {
    add("user_agent", "must be visible ASCII with single spaces only inside, e.g. my-service/1.0");
  }
  for (FieldViolation& violation : internal::CheckHeaders(options.headers)) violations.push_back(std::move(violation));

  if (violations.empty()) return absl::OkStatus();
  return InvalidRequest(std::move(violations));
}

absl::Status ValidateUser(const std::string& user) {
  internal::RequestChecker checker("");
  checker.User(user);
  std::vector<FieldViolation> violations = std::move(checker).Finish();
  return violations.empty() ? absl::OkStatus() : InvalidRequest(std::move(violations));
}

absl::Status ValidateApiKey(const std::string& api_key) {
  if (api_key.empty()) return InvalidRequest({{"api_key", "must be set to a key of iGPT"}});
  if (IsVisibleAscii(api_key)) return absl::OkStatus();
  return InvalidRequest({{"api_key", "must be visible ASCII: look for a space or a line end in it"}});
}

}  // namespace igpt::inline sdk_v1
