#include "service/config/config_files.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "igpt/monotonic_time.h"
#include "service/system/files.h"

namespace igptd {

using igpt::MonotonicTime;

namespace {

// How long a file may take to be read.
constexpr absl::Duration kReadLimit = absl::Seconds(5);

// A file that is being read, and the flag that names it.
struct Named {
  std::string flag;
  FileRead read;
};

// Begins to read the files whose flags are set.
std::vector<Named> StartReading(const std::vector<std::pair<std::string, std::string>>& flags_and_paths) {
  std::vector<Named> files;
  for (const auto& [flag, path] : flags_and_paths) {
    if (!path.empty()) files.push_back({flag, FileRead(path)});
  }
  return files;
}

// Waits for the files until `deadline`, and parses them.
template <typename T>
FilesFor<T> ReadFor(std::vector<Named> files, MonotonicTime deadline, std::vector<std::string>& mistakes,
                    const std::function<absl::StatusOr<T>(const FileWatch::Contents&)>& parse) {
  FilesFor<T> result;
  const size_t mistakes_before = mistakes.size();
  for (Named& file : files) {
    result.flags.push_back(file.flag);
    result.paths.push_back(file.read.path());
    absl::StatusOr<std::string> text =
        file.read.AwaitDone(std::max(absl::ZeroDuration(), deadline - MonotonicTime::Now()))
            ? file.read.Take()
            : ReadTookTooLong(file.read.path(), kReadLimit);
    if (text.ok()) {
      result.contents.push_back(*std::move(text));
    } else {
      mistakes.push_back(absl::StrCat("--", file.flag, ": ", text.status().message()));
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

absl::StatusOr<std::string> ParseIgptAuthorities(const FileWatch::Contents& contents) {
  if (absl::Status valid = ValidateAuthorities("--igpt_ca_file", contents[0]); !valid.ok()) return valid;
  return contents[0];
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
  // All at once, so that together they take no longer than one may.
  std::vector<Named> authorities = StartReading({{"igpt_ca_file", config.client.ca_file}});
  std::vector<Named> key = StartReading({{"igpt_api_key_file", config.igpt_api_key_file}});
  std::vector<Named> tls = StartReading({{"tls_cert_file", config.tls_cert_file},
                                         {"tls_key_file", config.tls_key_file},
                                         {"tls_client_ca_file", config.tls_client_ca_file}});
  std::vector<Named> callers = StartReading({{"callers_file", config.callers_file}});
  std::vector<Named> user_hash_key = StartReading({{"user_hash_key_file", config.user_hash_key_file}});
  const MonotonicTime deadline = MonotonicTime::Now() + kReadLimit;
  ConfigFiles files;
  std::vector<std::string> mistakes;
  files.igpt_authorities = ReadFor<std::string>(std::move(authorities), deadline, mistakes, ParseIgptAuthorities);
  files.key = ReadFor<std::string>(std::move(key), deadline, mistakes, [&](const FileWatch::Contents& contents) {
    return ParseApiKeyFile(config.igpt_api_key_file, contents[0]);
  });
  files.tls = ReadFor<TlsMaterial>(std::move(tls), deadline, mistakes, ParseTls);
  files.callers = ReadFor<Callers>(std::move(callers), deadline, mistakes, [&](const FileWatch::Contents& contents) {
    return ParseCallersFile(config, contents);
  });
  files.user_hash_key =
      ReadFor<std::string>(std::move(user_hash_key), deadline, mistakes, [&](const FileWatch::Contents& contents) {
        return ParseUserHashKeyFile(config.user_hash_key_file, contents[0]);
      });
  if (!mistakes.empty()) return absl::InvalidArgumentError(absl::StrJoin(mistakes, "; "));
  return files;
}

}  // namespace igptd
