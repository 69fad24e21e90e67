// What the admin servers serve.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "service/admin/admin_server.h"
#include "service/config/flags.h"

namespace igptd {

// What the pages tell of the server. Called on any thread, as long as the admin server serves.
struct AdminSources {
  std::function<std::string()> metrics;                // in Prometheus's text format
  std::function<bool(absl::Duration limit)> responds;  // whether every event loop answers within the limit
  std::function<std::string()> why_not_ready;          // empty: ready
};

// /metrics, /healthz and /readyz, for anyone.
void AddProbePages(AdminServer& server, const AdminSources& sources);

// /configz, and /loglevel, which can also be set, for operators.
void AddOperatorPages(AdminServer& server, const std::vector<Setting>& settings);

}  // namespace igptd
