// The process's resource use, under the names that Prometheus's client libraries share.
#pragma once

#include "absl/time/time.h"
#include "service/observe/metric_family.h"

namespace igptd {

// Leaves out what can't be read, for example because no file descriptor is left.
void CollectProcess(absl::Time started_at, MetricFamilies& families);

}  // namespace igptd
