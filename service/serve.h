// igptd from its configuration to its end.
#pragma once

#include "absl/status/status.h"
#include "service/config/config.h"
#include "service/signals.h"

namespace igptd {

// Serves until a signal ends it, then drains; a drain that hangs ends the process with exit code 1. An error: igptd did
// not serve, since the configuration is wrong, or an address or a file can't be had.
absl::Status Serve(const Config& config, const Signals& signals);

}  // namespace igptd
