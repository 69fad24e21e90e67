#include "service/config/trace_variables.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace igptd {
namespace {

constexpr int64_t kMaxSpans = 1'000'000;
constexpr int64_t kMaxMilliseconds = 3'600'000;

// Reads variables, and warns of those that can't be used.
class Reader {
 public:
  Reader(const Environment& environment, std::vector<std::string>& warnings)
      : environment_(environment), warnings_(warnings) {}

  // Empty: it isn't set.
  std::string Text(const std::string& name) const {
    const auto variable = environment_.find(name);
    return variable == environment_.end() ? "" : variable->second;
  }

  void Warn(const std::string& name, std::string_view what) {
    warnings_.push_back(absl::StrCat(name, ": ", absl::string_view(what.data(), what.size())));
  }

  // The index of the variable's value among these; 0, the default, if it isn't set or none of them.
  size_t Choice(const std::string& name, const std::vector<std::string>& choices) {
    const std::string text = absl::AsciiStrToLower(Text(name));
    if (text.empty()) return 0;
    const auto found = std::find(choices.begin(), choices.end(), text);
    if (found != choices.end()) return static_cast<size_t>(found - choices.begin());
    Warn(name, absl::StrCat("igptd knows only ", absl::StrJoin(choices, ", "), "; it takes ", choices.front()));
    return 0;
  }

  // A whole number from 1 to `max`.
  int64_t Number(const std::string& name, int64_t preset, int64_t max) {
    const std::string text = Text(name);
    if (text.empty()) return preset;
    int64_t number = 0;
    if (absl::SimpleAtoi(text, &number) && number >= 1 && number <= max) return number;
    Warn(name, absl::StrCat("must be a whole number from 1 to ", max, "; igptd takes ", preset));
    return preset;
  }
  absl::Duration Milliseconds(const std::string& name, absl::Duration preset) {
    return absl::Milliseconds(Number(name, absl::ToInt64Milliseconds(preset), kMaxMilliseconds));
  }

  // The variable of spans if it is set, otherwise the one for all that OpenTelemetry exports.
  std::string Exporters(const std::string& what) const {
    const std::string own = absl::StrCat("OTEL_EXPORTER_OTLP_TRACES_", what);
    return Text(own).empty() ? absl::StrCat("OTEL_EXPORTER_OTLP_", what) : own;
  }

 private:
  const Environment& environment_;
  std::vector<std::string>& warnings_;
};

bool IsUrl(absl::string_view text) {
  const size_t scheme = absl::StartsWith(text, "https://") ? 8 : absl::StartsWith(text, "http://") ? 7 : 0;
  return scheme > 0 && text.size() > scheme && text[scheme] != '/' &&
         std::all_of(text.begin(), text.end(), absl::ascii_isgraph);
}

// Where spans are posted; empty: nowhere.
std::string Endpoint(Reader& reader) {
  if (reader.Choice("OTEL_SDK_DISABLED", {"false", "true"}) == 1) return "";
  if (reader.Choice("OTEL_TRACES_EXPORTER", {"otlp", "none"}) == 1) return "";
  const std::string name = reader.Exporters("ENDPOINT");
  std::string url = reader.Text(name);
  if (url.empty()) return "";
  if (!IsUrl(url)) {
    reader.Warn(name, "must be a URL such as http://localhost:4318; igptd exports no spans");
    return "";
  }
  if (name == "OTEL_EXPORTER_OTLP_ENDPOINT") return absl::StrCat(url, absl::EndsWith(url, "/") ? "" : "/", "v1/traces");
  // Nothing is added to the one for spans, but a URL has a path.
  return url.find('/', url.find("://") + 3) == std::string::npos ? absl::StrCat(url, "/") : url;
}

Sampling ParseSampling(Reader& reader) {
  constexpr char kArgument[] = "OTEL_TRACES_SAMPLER_ARG";
  const std::vector<std::string> names = {
      "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio", "always_on", "always_off",
      "traceidratio"};
  const size_t sampler = reader.Choice("OTEL_TRACES_SAMPLER", names);
  Sampling sampling = {.as_parent = sampler < 3, .ratio = sampler % 3 == 1 ? 0.0 : 1.0};
  const std::string argument = reader.Text(kArgument);
  if (sampler % 3 != 2 || argument.empty()) return sampling;
  double ratio = 0;
  if (absl::SimpleAtod(argument, &ratio) && ratio >= 0 && ratio <= 1) {
    sampling.ratio = ratio;
  } else {
    reader.Warn(kArgument, "must be a number from 0 to 1; igptd takes 1");
  }
  return sampling;
}

}  // namespace

TraceOptions ParseTraceVariables(const Environment& environment, std::vector<std::string>& warnings) {
  Reader reader(environment, warnings);
  TraceOptions options;
  options.url = Endpoint(reader);
  if (options.url.empty()) return options;  // what the other variables say doesn't matter
  options.json = reader.Choice(reader.Exporters("PROTOCOL"), {"http/protobuf", "http/json"}) == 1;
  options.gzip = reader.Choice(reader.Exporters("COMPRESSION"), {"none", "gzip"}) == 1;
  options.timeout = std::min(reader.Milliseconds(reader.Exporters("TIMEOUT"), options.timeout),
                             reader.Milliseconds("OTEL_BSP_EXPORT_TIMEOUT", absl::Seconds(30)));
  options.sampling = ParseSampling(reader);
  options.delay = reader.Milliseconds("OTEL_BSP_SCHEDULE_DELAY", options.delay);
  options.queue_size = static_cast<size_t>(
      reader.Number("OTEL_BSP_MAX_QUEUE_SIZE", static_cast<int64_t>(options.queue_size), kMaxSpans));
  const auto batch = std::min(options.batch_size, options.queue_size);
  options.batch_size = static_cast<size_t>(reader.Number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", static_cast<int64_t>(batch),
                                                         static_cast<int64_t>(options.queue_size)));
  return options;
}

}  // namespace igptd
