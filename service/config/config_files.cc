#include "service/config/config_files.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "service/system/files.h"

namespace igptd {
namespace {

// A file and the flag that names it.
struct Named {
  const char* flag;
  std::string path;
};

// Reads and parses the files whose flags are set.
template <typename T>
FilesFor<T> ReadFor(const std::vector<Named>& files, std::vector<std::string>& mistakes,
                    const std::function<absl::StatusOr<T>(const FileWatch::Contents&)>& parse) {
  FilesFor<T> result;
  const size_t mistakes_before = mistakes.size();
  for (const auto& [flag, path] : files) {
    if (path.empty()) continue;
    result.paths.push_back(path);
    absl::StatusOr<std::string> text = ReadFile(path);
    if (text.ok()) {
      result.contents.push_back(*std::move(text));
    } else {
      mistakes.push_back(absl::StrCat(flag, ": ", text.status().message()));
    }
  }
  if (result.paths.empty() || mistakes.size() > mistakes_before) return result;
  absl::StatusOr<T> value = parse(result.contents);
  if (value.ok()) {
    result.value = *std::move(value);
  } else {
    mistakes.emplace_back(value.status().message());
  }
  return result;
}

}  // namespace

absl::StatusOr<TlsMaterial> ParseTls(const FileWatch::Contents& contents) {
  TlsMaterial material = {contents[0], contents[1], std::nullopt};
  if (contents.size() > 2) material.client_ca = contents[2];
  if (absl::Status valid = ValidateTls(material, absl::Now()); !valid.ok()) return valid;
  return material;
}

absl::StatusOr<Callers> ParseCallersFile(const Config& config, const FileWatch::Contents& contents) {
  absl::StatusOr<Callers> callers = ParseCallers(contents[0]);
  if (!callers.ok()) return absl::InvalidArgumentError(absl::StrCat("--callers_file: ", callers.status().message()));
  const bool by_san = std::any_of(callers->callers.begin(), callers->callers.end(),
                                  [](const Caller& caller) { return !caller.sans.empty(); });
  if (by_san && config.tls_client_ca_file.empty()) {
    return absl::InvalidArgumentError(
        "--callers_file: san recognizes callers by their certificates, which needs --tls_client_ca_file; set it or "
        "remove san");
  }
  return callers;
}

absl::StatusOr<ConfigFiles> ReadConfigFiles(const Config& config) {
  ConfigFiles files;
  std::vector<std::string> mistakes;
  if (!config.client.ca_file.empty() && access(config.client.ca_file.c_str(), R_OK) != 0) {
    mistakes.push_back(absl::StrCat("--igpt_ca_file: cannot read ", config.client.ca_file,
                                    "; name a readable PEM file of certificate authorities"));
  }
  files.key = ReadFor<std::string>(
      {{"--igpt_api_key_file", config.igpt_api_key_file}}, mistakes,
      [&](const FileWatch::Contents& contents) { return ParseApiKeyFile(config.igpt_api_key_file, contents[0]); });
  files.tls = ReadFor<TlsMaterial>({{"--tls_cert_file", config.tls_cert_file},
                                    {"--tls_key_file", config.tls_key_file},
                                    {"--tls_client_ca_file", config.tls_client_ca_file}},
                                   mistakes, ParseTls);
  files.callers =
      ReadFor<Callers>({{"--callers_file", config.callers_file}}, mistakes,
                       [&](const FileWatch::Contents& contents) { return ParseCallersFile(config, contents); });
  files.user_hash_key = ReadFor<std::string>({{"--user_hash_key_file", config.user_hash_key_file}}, mistakes,
                                             [&](const FileWatch::Contents& contents) {
                                               return ParseUserHashKeyFile(config.user_hash_key_file, contents[0]);
                                             });
  if (!mistakes.empty()) return absl::InvalidArgumentError(absl::StrJoin(mistakes, "; "));
  return files;
}

}  // namespace igptd
