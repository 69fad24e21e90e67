// What is counted of calls that run and that are shed, and of what they are shed for.
#pragma once

#include "service/limits/admission.h"
#include "service/limits/resource_guard.h"
#include "service/observe/metric_family.h"

namespace igptd {

// Adds the families. From any thread.
void CollectAdmission(MetricFamilies& families, const Admission& admission, const ResourceGuard& resources);

}  // namespace igptd
