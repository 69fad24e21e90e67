// Metrics of running and shed calls, and of the resources that calls are shed for.
#pragma once

#include "service/limits/admission.h"
#include "service/limits/resource_guard.h"
#include "service/observe/metric_family.h"

namespace igptd {

// Adds the families. Thread-safe.
void CollectAdmission(MetricFamilies& families, const Admission& calls, const Admission& late_requests,
                      const Admission& standard_streams, const Admission& standard_answers,
                      const ResourceGuard& resources);

}  // namespace igptd
