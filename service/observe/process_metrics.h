// What the process takes of the machine, under the names that Prometheus's client libraries share.
#pragma once

#include "absl/time/time.h"
#include "service/observe/metric_family.h"

namespace igptd {

// What can't be read (for want of a file descriptor, e.g.) is left out.
void CollectProcess(absl::Time started_at, MetricFamilies& families);

}  // namespace igptd
