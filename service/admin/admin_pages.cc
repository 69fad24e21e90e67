#include "service/admin/admin_pages.h"

#include <string>

#include "absl/strings/ascii.h"
#include "service/config/config_page.h"
#include "service/observe/log.h"

namespace igptd {
namespace {

using Audience = AdminServer::Audience;

// As long as a loop may be busy with other things and igptd be alive.
constexpr absl::Duration kLoopLimit = absl::Seconds(1);

constexpr int kServiceUnavailable = 503;
constexpr int kBadRequest = 400;

AdminPage LogLevelPage() {
  return {.body = std::string(LogLevelName()) + "\n"};
}

}  // namespace

void AddProbePages(AdminServer& server, const AdminSources& sources) {
  server.OnGet("/metrics", Audience::kAnyone, [metrics = sources.metrics]() -> AdminPage {
    return {.body = metrics(), .content_type = "text/plain; version=0.0.4; charset=utf-8"};
  });
  server.OnGet("/healthz", Audience::kAnyone, [responds = sources.responds]() -> AdminPage {
    if (responds(kLoopLimit)) return {.body = "serving\n"};
    return {.status = kServiceUnavailable, .body = "not serving: an event loop does not answer within 1 s\n"};
  });
  server.OnGet("/readyz", Audience::kAnyone, [why_not_ready = sources.why_not_ready]() -> AdminPage {
    const std::string why_not = why_not_ready();
    if (why_not.empty()) return {.body = "ready\n"};
    return {.status = kServiceUnavailable, .body = "not ready: " + why_not + "\n"};
  });
}

void AddOperatorPages(AdminServer& server, const std::vector<Setting>& settings) {
  server.OnGet("/configz", Audience::kOperators,
               [page = ConfigPage(settings)]() -> AdminPage { return {.body = page}; });
  server.OnGet("/loglevel", Audience::kOperators, LogLevelPage);
  server.OnPost("/loglevel", [](const std::string& body) -> AdminPage {
    std::string level = body;
    absl::StripAsciiWhitespace(&level);
    if (SetLogLevel(level)) return LogLevelPage();
    return {.status = kBadRequest, .body = "send trace, debug, info, warn or error\n"};
  });
}

}  // namespace igptd
