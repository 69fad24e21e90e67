// Prometheus metric families: a name, a help text, and a value for each set of labels. Pure.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

namespace igptd {

using MetricFamilies = std::vector<prometheus::MetricFamily>;
// A label never holds a user, an id or text.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

prometheus::MetricFamily CounterFamily(std::string name, std::string help);
prometheus::MetricFamily GaugeFamily(std::string name, std::string help);
prometheus::MetricFamily HistogramFamily(std::string name, std::string help);

// Adds a value to a family of its kind.
void AddValue(prometheus::MetricFamily& family, const MetricLabels& labels, double value);
void AddHistogram(prometheus::MetricFamily& family, const MetricLabels& labels,
                  prometheus::ClientMetric::Histogram histogram);

// Families with a single value and no labels.
void AddCounter(MetricFamilies& families, std::string name, std::string help, double value);
void AddGauge(MetricFamilies& families, std::string name, std::string help, double value);

}  // namespace igptd
