// igptd from its configuration to its end.
#pragma once

#include "absl/status/status.h"
#include "service/config/config.h"
#include "service/signals.h"

namespace igptd {

// Serves until a signal ends it, then drains; if the drain hangs, the process ends with exit code 1. Returns an error
// if igptd could not start: the configuration is bad, or an address or file can't be used.
absl::Status Serve(const Config& config, const Signals& signals);

}  // namespace igptd
