// What is counted of calls that run and that are shed, and of what they are shed for.
#pragma once

#include "service/admission.h"
#include "service/metric_family.h"
#include "service/resource_guard.h"

namespace igptd {

// Adds the families. From any thread.
void CollectAdmission(MetricFamilies& families, const Admission& admission, const ResourceGuard& resources);

}  // namespace igptd
