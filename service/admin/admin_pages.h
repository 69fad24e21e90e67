// What the admin server serves.
#pragma once

#include <vector>

#include "service/admin/admin_server.h"
#include "service/config/flags.h"
#include "service/observe/metrics.h"
#include "service/server.h"

namespace igptd {

// /metrics, /healthz, /readyz, /configz, and /loglevel, which can also be set. `server` and `metrics` must outlive
// `admin`.
void AddPages(AdminServer& admin, Server& server, const Metrics& metrics, const std::vector<Setting>& settings);

}  // namespace igptd
