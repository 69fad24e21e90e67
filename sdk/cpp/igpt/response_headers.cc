#include "igpt/response_headers.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "igpt/internal/base/string_view.h"

namespace igpt::inline sdk_v1 {

using internal::AbslView;
using internal::StdView;

namespace {

using Field = std::pair<std::string_view, std::string_view>;

// What most heads take, so that they are put together without copies.
constexpr size_t kUsualBytes = 512;

Field Split(std::string_view line) {
  const size_t colon = line.find(':');
  const std::string_view value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
  return {line.substr(0, colon), StdView(absl::StripAsciiWhitespace(AbslView(value)))};
}

}  // namespace

ResponseHeaders::ResponseHeaders(std::string_view lines) {
  for (const absl::string_view line : absl::StrSplit(AbslView(lines), '\n')) Add(StdView(line));
}

std::optional<std::string_view> ResponseHeaders::Get(std::string_view name) const {
  for (const auto& [its_name, value] : All()) {
    if (absl::EqualsIgnoreCase(AbslView(its_name), AbslView(name))) return value;
  }
  return std::nullopt;
}

std::vector<Field> ResponseHeaders::All() const {
  std::vector<Field> all;
  for (std::string_view rest = lines_; !rest.empty();) {
    const size_t end = rest.find('\n');
    all.push_back(Split(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
  }
  return all;
}

void ResponseHeaders::Add(std::string_view line) {
  line = StdView(absl::StripAsciiWhitespace(AbslView(line)));
  const size_t colon = line.find(':');
  if (colon == line.npos || colon == 0 || lines_.size() + line.size() >= kMaxBytes) return;
  if (absl::EqualsIgnoreCase(AbslView(line.substr(0, colon)), "set-cookie")) return;
  if (lines_.empty()) lines_.reserve(kUsualBytes);
  lines_.append(line).push_back('\n');
}

}  // namespace igpt::inline sdk_v1
