#include "service/observe/metric_family.h"

#include <prometheus/metric_type.h>

namespace igptd {
namespace {

prometheus::MetricFamily Family(std::string name, std::string help, prometheus::MetricType type) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

prometheus::ClientMetric& AddMetric(prometheus::MetricFamily& family, const MetricLabels& labels) {
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  for (const auto& [name, value] : labels) {
    prometheus::ClientMetric::Label& label = metric.label.emplace_back();
    label.name = name;
    label.value = value;
  }
  return metric;
}

}  // namespace

prometheus::MetricFamily CounterFamily(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), prometheus::MetricType::Counter);
}

prometheus::MetricFamily GaugeFamily(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), prometheus::MetricType::Gauge);
}

prometheus::MetricFamily HistogramFamily(std::string name, std::string help) {
  return Family(std::move(name), std::move(help), prometheus::MetricType::Histogram);
}

void AddValue(prometheus::MetricFamily& family, const MetricLabels& labels, double value) {
  prometheus::ClientMetric& metric = AddMetric(family, labels);
  (family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
}

void AddHistogram(prometheus::MetricFamily& family, const MetricLabels& labels,
                  prometheus::ClientMetric::Histogram histogram) {
  AddMetric(family, labels).histogram = std::move(histogram);
}

void AddCounter(MetricFamilies& families, std::string name, std::string help, double value) {
  AddValue(families.emplace_back(CounterFamily(std::move(name), std::move(help))), {}, value);
}

void AddGauge(MetricFamilies& families, std::string name, std::string help, double value) {
  AddValue(families.emplace_back(GaugeFamily(std::move(name), std::move(help))), {}, value);
}

}  // namespace igptd
