#include "service/watched_files.h"

#include <utility>

#include "absl/status/statusor.h"

namespace igptd {
namespace {

double Seconds(absl::Time time) {
  return absl::ToDoubleSeconds(time - absl::UnixEpoch());
}

}  // namespace

WatchedFiles::WatchedFiles(const Config& config, const ConfigFiles& files, Server& server) {
  Watch("iGPT key", files.key, [&config, &server](const FileWatch::Contents& contents) {
    const absl::StatusOr<std::string> key = ParseApiKeyFile(config.igpt_api_key_file, contents[0]);
    return key.ok() ? server.SetApiKey(*key) : key.status();
  });
  Watch("certificates", files.tls, [this, flags = files.tls.flags, &server](const FileWatch::Contents& contents) {
    absl::StatusOr<TlsMaterial> material = ParseTls(contents);
    if (!material.ok()) return material.status();
    server.UseTls(*std::move(material));
    Note(flags, contents);
    return absl::OkStatus();
  });
  Watch("callers", files.callers, [&config, &server](const FileWatch::Contents& contents) {
    const absl::StatusOr<Callers> callers = ParseCallersFile(config, contents);
    if (callers.ok()) server.UseCallers(*callers);
    return callers.status();
  });
  Watch("authorities for iGPT", files.igpt_authorities,
        [this, flags = files.igpt_authorities.flags, &server](const FileWatch::Contents& contents) {
          const absl::StatusOr<std::string> pem = ParseIgptAuthorities(contents);
          if (!pem.ok()) return pem.status();
          if (absl::Status set = server.UseIgptAuthorities(*pem); !set.ok()) return set;
          Note(flags, contents);
          return absl::OkStatus();
        });
  Note(files.tls.flags, files.tls.contents);
  Note(files.igpt_authorities.flags, files.igpt_authorities.contents);
}

template <typename T>
void WatchedFiles::Watch(const char* what, const FilesFor<T>& files,
                         std::function<absl::Status(const FileWatch::Contents&)> use) {
  if (!files.value) return;
  watched_.emplace_back(files.flags, what, files.paths, files.contents, std::move(use));
}

void WatchedFiles::Note(const std::vector<std::string>& flags, const FileWatch::Contents& contents) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < flags.size(); ++i) {
    const absl::Time expiry = EarliestExpiry(contents[i]);
    if (expiry != absl::InfiniteFuture()) expiries_[flags[i]] = expiry;  // a key has none
  }
}

void WatchedFiles::Look() {
  for (Watched& each : watched_) each.watch.Look();
}

void WatchedFiles::Collect(MetricFamilies& families) const {
  auto successful =
      GaugeFamily("igptd_file_last_reload_successful",
                  "0 if a file can't be read or holds what was refused, so that the old is still in use.");
  auto good_at = GaugeFamily("igptd_file_last_reload_success_timestamp_seconds",
                             "When what a file held was last put to use, in seconds since 1970.");
  for (const Watched& each : watched_) {
    for (const std::string& flag : each.flags) {
      AddValue(successful, {{"file", flag}}, each.watch.refused() ? 0 : 1);
      AddValue(good_at, {{"file", flag}}, Seconds(each.watch.last_good()));
    }
  }
  auto expiry = GaugeFamily("igptd_certificate_expiry_timestamp_seconds",
                            "When the first certificate of a file that is in use expires, in seconds since 1970.");
  const std::lock_guard lock(mutex_);
  for (const auto& [flag, time] : expiries_) AddValue(expiry, {{"file", flag}}, Seconds(time));
  for (auto* family : {&successful, &good_at, &expiry}) {
    if (!family->metric.empty()) families.push_back(std::move(*family));
  }
}

}  // namespace igptd
