#include "service/admission_metrics.h"

#include <string>
#include <utility>

namespace igptd {

void CollectAdmission(MetricFamilies& families, const Admission& admission, Strains strains) {
  AddGauge(families, "igptd_calls_in_flight", "Calls that run.", static_cast<double>(admission.in_flight()));

  prometheus::MetricFamily shed = CounterFamily("igptd_calls_shed_total", "Calls that there was no room for.");
  for (size_t i = 0; i < kLimits; ++i) {
    const auto limit = static_cast<Limit>(i);
    AddValue(shed, {{"limit", std::string(LimitName(limit))}}, static_cast<double>(admission.shed(limit)));
  }
  families.push_back(std::move(shed));

  prometheus::MetricFamily strain =
      GaugeFamily("igptd_strain", "How short it is: 0 not at all, 1 for callers that hold most, 2 for all.");
  AddValue(strain, {{"resource", "memory"}}, static_cast<double>(strains.memory));
  AddValue(strain, {{"resource", "file_descriptors"}}, static_cast<double>(strains.descriptors));
  families.push_back(std::move(strain));
}

}  // namespace igptd
