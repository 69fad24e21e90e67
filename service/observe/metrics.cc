#include "service/observe/metrics.h"

#include <prometheus/text_serializer.h>

#include "igpt/version.h"
#include "service/observe/log.h"
#include "service/observe/process_metrics.h"

namespace igptd {

std::string Metrics::Text() const {
  std::vector<const MethodMetrics*> methods;
  std::vector<const UpstreamMetrics*> upstream;
  for (const std::unique_ptr<LoopMetrics>& loop : loops_) {
    for (const std::unique_ptr<MethodMetrics>& method : loop->methods) methods.push_back(method.get());
    upstream.push_back(&loop->upstream);
  }
  MetricFamilies families;
  CollectCalls(methods, families);
  CollectUpstream(upstream, families);
  for (const Source& source : sources_) source(families);
  AddCounter(families, "igptd_log_lines_dropped_total", "Log lines dropped because they could not be written in time.",
             static_cast<double>(DroppedLogLines()));
  CollectProcess(started_at_, families);
  AddValue(families.emplace_back(GaugeFamily("igptd_build_info", "Always 1; the label holds the version.")),
           {{"version", igpt::kVersion}}, 1);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace igptd
