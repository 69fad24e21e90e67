// What is counted of calls that run and that are shed.
#pragma once

#include "service/admission.h"
#include "service/metric_family.h"

namespace igptd {

// Adds the families. From any thread.
void CollectAdmission(MetricFamilies& families, const Admission& admission, Strains strains);

}  // namespace igptd
