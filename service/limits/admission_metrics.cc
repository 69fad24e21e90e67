#include "service/limits/admission_metrics.h"

#include <cstdint>
#include <string>
#include <utility>

namespace igptd {

namespace {

void AddResources(MetricFamilies& families, const char* name, const char* help, double memory, double descriptors) {
  prometheus::MetricFamily family = GaugeFamily(name, help);
  AddValue(family, {{"resource", "memory"}}, memory);
  AddValue(family, {{"resource", "file_descriptors"}}, descriptors);
  families.push_back(std::move(family));
}

}  // namespace

void CollectAdmission(MetricFamilies& families, const Admission& calls, const Admission& late_requests,
                      const Admission& standard_streams, const Admission& standard_answers,
                      const ResourceGuard& resources) {
  AddGauge(families, "igptd_calls_in_flight", "Calls that count against --max_in_flight.",
           static_cast<double>(calls.in_flight()));
  AddGauge(families, "igptd_late_requests", "Calls whose request is not whole though they began a while ago.",
           static_cast<double>(late_requests.in_flight()));
  AddGauge(families, "igptd_standard_streams", "Open health watches and reflection streams.",
           static_cast<double>(standard_streams.in_flight()));

  prometheus::MetricFamily shed =
      CounterFamily("igptd_calls_shed_total", "Calls refused with OVERLOADED, by the limit that was reached.");
  for (size_t i = 0; i < kLimits; ++i) {
    const auto limit = static_cast<Limit>(i);
    const int64_t times =
        calls.shed(limit) + late_requests.shed(limit) + standard_streams.shed(limit) + standard_answers.shed(limit);
    AddValue(shed, {{"limit", std::string(LimitName(limit))}}, static_cast<double>(times));
  }
  families.push_back(std::move(shed));

  const ResourceUse use = resources.use();
  AddResources(families, "igptd_resource_use_ratio", "The share in use, from 0 to 1.", use.memory, use.descriptors);
  const Strains strains = resources.strains();
  AddResources(families, "igptd_strain", "0: not short; 1: calls of the heaviest callers are shed; 2: all calls are.",
               static_cast<double>(strains.memory), static_cast<double>(strains.descriptors));
}

}  // namespace igptd
