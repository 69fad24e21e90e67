#include "service/system/cgroup.h"

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "service/system/files.h"

namespace igptd {
namespace {

std::string OwnGroup(const ResourcePaths& paths) {
  const std::string groups = ReadKernelFile(absl::StrCat(paths.proc, "/self/cgroup")).value_or("");
  for (absl::string_view line : absl::StrSplit(groups, '\n')) {
    // The kernel writes groups outside this process's namespace with "..".
    if (!absl::ConsumePrefix(&line, "0::/") || line.empty() || line.substr(0, 2) == "..") continue;
    return absl::StrCat(paths.cgroups, "/", line);
  }
  return paths.cgroups;
}

}  // namespace

std::optional<std::string> ReadKernelFile(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return std::nullopt;
  return *std::move(text);
}

std::optional<int64_t> ReadKernelNumber(const std::string& path) {
  const std::optional<std::string> text = ReadKernelFile(path);
  int64_t number = 0;
  if (!text.has_value() || !absl::SimpleAtoi(*text, &number)) return std::nullopt;
  return number;
}

int64_t NumberAfter(std::string_view name, std::string_view text) {
  const absl::string_view prefix(name.data(), name.size());
  for (absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    if (!absl::ConsumePrefix(&line, prefix)) continue;
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    int64_t number = 0;
    if (!words.empty() && absl::SimpleAtoi(words.front(), &number)) return number;
  }
  return 0;
}

std::vector<std::string> ControlGroups(const ResourcePaths& paths) {
  std::vector<std::string> groups;
  for (std::string directory = OwnGroup(paths); directory.size() >= paths.cgroups.size();
       directory.resize(directory.rfind('/'))) {
    groups.push_back(directory);
  }
  return groups;
}

}  // namespace igptd
