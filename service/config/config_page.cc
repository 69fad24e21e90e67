#include "service/config/config_page.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace igptd {
namespace {

constexpr char kRedacted[] = "[redacted]";

std::string Redacted(const Setting& setting) {
  if (setting.value.empty()) return "";
  if (setting.name == "igpt_api_key" || setting.name == "default_user") return kRedacted;
  // scheme://user:password@host
  const size_t scheme = setting.value.find("://");
  if (scheme == std::string::npos && setting.name != "igpt_proxy") return setting.value;
  const size_t at = setting.value.rfind('@');
  if (at == std::string::npos) return setting.value;
  return absl::StrCat(scheme == std::string::npos ? "" : setting.value.substr(0, scheme + 3), kRedacted,
                      setting.value.substr(at));
}

}  // namespace

std::string ConfigPage(const std::vector<Setting>& settings) {
  std::string page;
  for (const Setting& setting : settings) {
    absl::StrAppend(&page, "--", setting.name, "=", absl::CHexEscape(Redacted(setting)), "  # ",
                    setting.source.empty() ? "default" : setting.source, "\n");
  }
  return page;
}

}  // namespace igptd
