#include "service/system/cgroup.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "service/system/files.h"

namespace igptd {
namespace {

bool Lists(absl::string_view names, std::string_view name) {
  const std::vector<absl::string_view> all = absl::StrSplit(names, ',');
  return std::find(all.begin(), all.end(), absl::string_view(name.data(), name.size())) != all.end();
}

// The process's group, in /proc/self/cgroup: "4:cpu,cpuacct:/path" of version 1, "0::/path" of version 2, which has the
// controllers that no group of version 1 has.
struct Membership {
  int version = 0;  // 0: none
  std::string path;
};
Membership FindMembership(std::string_view controller, const std::string& root) {
  const std::string groups = ReadKernelFile(root + "/proc/self/cgroup").value_or("");
  Membership found;
  for (const absl::string_view line : absl::StrSplit(groups, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() < 3) continue;
    if (Lists(fields[1], controller)) return {1, std::string(fields[2])};
    if (fields[0] == "0") found = {2, std::string(fields[2])};
  }
  return found;
}

// The part of a group's path that lies below a mount of the group `top`, with its slash; nullopt if it lies elsewhere.
std::optional<std::string> PathBelow(absl::string_view top, absl::string_view path) {
  top = absl::StripSuffix(top, "/");
  path = absl::StripSuffix(path, "/");
  if (!absl::ConsumePrefix(&path, top) || (!path.empty() && path.front() != '/')) return std::nullopt;
  // The kernel writes groups outside the process's namespace with "..".
  if (path.substr(0, 3) == "/..") return std::nullopt;
  return std::string(path);
}

std::string Unescaped(absl::string_view field) {
  std::string text;  // the kernel writes a space as \040
  return absl::CUnescape(field, &text) ? text : std::string(field);
}

}  // namespace

std::optional<std::string> ReadKernelFile(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return std::nullopt;
  return *std::move(text);
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

std::string ControlGroup::Read(std::string_view file) const {
  return ReadKernelFile(absl::StrCat(directory, "/", absl::string_view(file.data(), file.size()))).value_or("");
}

// A mount, in /proc/self/mountinfo: "35 31 0:32 <the group that is its top> <where> rw … - cgroup cgroup rw,memory".
// In a container, the top is often the container's group, but its path doesn't always say so: without a namespace, the
// path is the host's, or the mount can be of another part of the tree. What can be seen then is the top.
std::vector<ControlGroup> ControlGroups(std::string_view controller, const std::string& root) {
  const Membership own = FindMembership(controller, root);
  const std::string mounts = ReadKernelFile(root + "/proc/self/mountinfo").value_or("");
  std::optional<std::string> mount;
  std::string below;
  for (const absl::string_view line : absl::StrSplit(mounts, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 6 || fields.end() - dash < 4) continue;
    const bool fits =
        own.version == 1 ? dash[1] == "cgroup" && Lists(dash[3], controller) : own.version == 2 && dash[1] == "cgroup2";
    if (!fits) continue;
    const std::optional<std::string> path = PathBelow(Unescaped(fields[3]), own.path);
    if (!mount.has_value() || path.has_value()) mount = Unescaped(fields[4]);
    if (!path.has_value()) continue;
    below = *path;
    break;
  }
  std::vector<ControlGroup> groups;
  if (!mount.has_value()) return groups;
  for (; !below.empty(); below.resize(below.rfind('/'))) {
    groups.push_back({own.version, absl::StrCat(root, *mount, below)});
  }
  groups.push_back({own.version, root + *mount});
  return groups;
}

}  // namespace igptd
