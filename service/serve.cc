#include "service/serve.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "igpt/monotonic_time.h"
#include "igpt/sandbox.h"
#include "igpt/version.h"
#include "service/admin/admin_pages.h"
#include "service/admin/admin_server.h"
#include "service/config/config_files.h"
#include "service/observe/call_log.h"
#include "service/observe/call_spans.h"
#include "service/observe/log.h"
#include "service/observe/metrics.h"
#include "service/observe/span_exporter.h"
#include "service/server.h"
#include "service/watched_files.h"

namespace igptd {

using igpt::MonotonicTime;

namespace {

// How often files are checked for changes.
constexpr absl::Duration kWatchInterval = absl::Seconds(1);

// How late a second signal may be noticed.
constexpr absl::Duration kSecondSignalInterval = absl::Milliseconds(50);

// How long after --drain_timeout the process ends even if something hangs.
constexpr absl::Duration kWatchdogMargin = absl::Seconds(4);

// How long spans that wait when igptd stops may take.
constexpr absl::Duration kLastSpans = absl::Seconds(1);

absl::Status WritePortFile(const std::string& path, int port) {
  // Written to another file and renamed, so that nobody reads a half-written one.
  const std::string temporary = absl::StrCat(path, ".new");
  std::ofstream file(temporary);
  file << port << "\n";
  file.close();
  if (!file || std::rename(temporary.c_str(), path.c_str()) != 0) {
    return absl::UnavailableError(
        absl::StrCat("--port_file: cannot write ", path, "; choose a path in a writable directory"));
  }
  return absl::OkStatus();
}

ServerOptions ServerOptionsOf(const Config& config, const ConfigFiles& files, Metrics& metrics) {
  ServerOptions options;
  options.listen = config.listen;
  options.client = config.client;
  if (files.key.value) options.client.api_key = *files.key.value;
  options.client.ca_pem = files.igpt_authorities.value.value_or("");
  options.calls = {.heartbeat_interval = config.heartbeat_interval,
                   .stalled_reader_timeout = config.stalled_reader_timeout,
                   .forward_faults = config.sandbox_faults,
                   .channelz = config.channelz,
                   .on_call_finished = LogCall};
  options.admission = config.admission;
  options.tls = files.tls.value;
  options.callers = files.callers.value;
  options.user_hash_key = files.user_hash_key.value.value_or("");
  options.metrics = &metrics;
  return options;
}

// The HTTP servers for operators and for probes. Null: off.
struct AdminServers {
  std::unique_ptr<AdminServer> admin;
  std::unique_ptr<AdminServer> probe;
};

absl::StatusOr<std::unique_ptr<AdminServer>> ListenUnlessOff(const std::string& flag, const std::string& address) {
  if (address.empty()) return nullptr;
  return AdminServer::Listen(flag, address);
}

absl::StatusOr<AdminServers> ListenForAdmins(const Config& config) {
  auto admin = ListenUnlessOff("--admin_listen", config.admin_listen);
  if (!admin.ok()) return admin.status();
  auto probe = ListenUnlessOff("--probe_listen", config.probe_listen);
  if (!probe.ok()) return probe.status();
  return AdminServers{*std::move(admin), *std::move(probe)};
}

void StartAdmins(const AdminServers& servers, Server& server, const Metrics& metrics,
                 const std::vector<Setting>& settings) {
  const AdminSources sources = {.metrics = [&metrics] { return metrics.Text(); },
                                .responds = [&server](absl::Duration limit) { return server.Responds(limit); },
                                .why_not_ready = [&server] { return server.readiness().WhyNot(); }};
  if (servers.admin != nullptr) AddOperatorPages(*servers.admin, settings);
  for (AdminServer* each : {servers.admin.get(), servers.probe.get()}) {
    if (each == nullptr) continue;
    AddProbePages(*each, sources);
    each->Start();
  }
}

// Null: none are exported.
std::unique_ptr<SpanExporter> StartSpans(const Config& config, SpanCounts& counts) {
  for (const std::string& warning : config.warnings) Log(LogLevel::kWarn, warning);
  if (config.traces.url.empty()) return nullptr;
  std::unique_ptr<SpanExporter> exporter = SpanExporter::Start(config.traces, counts);
  if (exporter == nullptr) {
    Log(LogLevel::kWarn,
        "this igptd was built without opentelemetry-cpp, so it exports no spans, though "
        "OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set");
  }
  return exporter;
}

void LogServing(const Config& config, const Server& server, const AdminServers& admins, const igpt::Sandbox* sandbox,
                bool spans) {
  {
    LogLine line(LogLevel::kInfo, "serving");
    line.With("listen", config.listen).With("port", server.port()).With("version", igpt::kVersion);
    if (admins.admin != nullptr) line.With("admin_port", admins.admin->port());
    if (admins.probe != nullptr) line.With("probe_port", admins.probe->port());
    line.With("tls", config.tls_cert_file.empty() ? "off" : config.tls_client_ca_file.empty() ? "on" : "mutual");
    line.With("spans", spans ? "on" : "off");
    if (sandbox != nullptr) line.With("sandbox", sandbox->base_url());
  }
  if (config.callers_file.empty()) {
    Log(LogLevel::kWarn, "anyone who can connect may call, for any user; set --callers_file to restrict this");
  }
}

// Keeps serving for --drain_delay, then drains; a second signal ends the calls that are left at once. Files are
// followed to the end, since a key can change while calls are still served.
void End(const Config& config, const Signals& signals, Server& server, WatchedFiles& files) {
  LogLine(LogLevel::kInfo, "draining").With("delay", config.drain_delay).With("timeout", config.drain_timeout);
  std::thread([patience = config.drain_delay + config.drain_timeout + kWatchdogMargin] {
    absl::SleepFor(patience);
    std::_Exit(EXIT_FAILURE);
  }).detach();
  server.AnnounceShutdown();
  bool again = false;
  const auto drain_at = MonotonicTime::Now() + config.drain_delay;
  for (auto now = MonotonicTime::Now(); !again && now < drain_at; now = MonotonicTime::Now()) {
    again = signals.Wait(std::min(kWatchInterval, drain_at - now));
    files.Look();
  }
  std::atomic<bool> drained = false;
  std::thread second_signal([&] {
    while (!again && !drained) {
      again = signals.Wait(kSecondSignalInterval);
      files.Look();
    }
    if (again) server.EndCalls();
  });
  server.Shutdown(config.drain_timeout);
  drained = true;
  second_signal.join();
}

}  // namespace

absl::Status Serve(const Config& config, const Signals& signals) {
  absl::StatusOr<ConfigFiles> files = ReadConfigFiles(config);
  if (!files.ok()) return files.status();
  Metrics metrics(absl::Now());
  ServerOptions options = ServerOptionsOf(config, *files, metrics);

  std::vector<Setting> settings = config.settings;
  std::unique_ptr<igpt::Sandbox> sandbox;
  if (config.sandbox) {
    auto started = igpt::Sandbox::Start({.listen = config.sandbox_listen, .faults = config.sandbox_faults});
    if (!started.ok()) {
      return absl::Status(started.status().code(), absl::StrCat("--sandbox_listen: ", started.status().message()));
    }
    sandbox = *std::move(started);
    options.client.base_url = sandbox->base_url();
    options.client.api_key = igpt::kSandboxApiKey;
    for (Setting& setting : settings) {
      if (setting.name == "igpt_base_url") setting = {setting.name, sandbox->base_url(), "--sandbox"};
    }
  }
  absl::StatusOr<AdminServers> admins = ListenForAdmins(config);
  if (!admins.ok()) return admins.status();

  StartLogging(config.log_level, config.log_format);  // before Server::Start: a call can end before that returns
  SpanCounts span_counts;
  const std::unique_ptr<SpanExporter> exporter = StartSpans(config, span_counts);
  std::optional<CallSpans> spans;
  if (exporter != nullptr) {
    options.calls.spans = &spans.emplace(config.traces.sampling, ParseUpstream(options.client.base_url), *exporter);
  }
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(std::move(options));
  if (!server.ok()) return server.status();
  WatchedFiles watched(config, *files, **server);
  if (!config.port_file.empty()) {
    if (absl::Status written = WritePortFile(config.port_file, (*server)->port()); !written.ok()) return written;
  }
  metrics.AddSource([&watched](MetricFamilies& families) { watched.Collect(families); });
  metrics.AddSource([&span_counts](MetricFamilies& families) { CollectSpans(span_counts, families); });
  StartAdmins(*admins, **server, metrics, settings);
  LogServing(config, **server, *admins, sandbox.get(), exporter != nullptr);

  while (!signals.Wait(kWatchInterval)) watched.Look();
  End(config, signals, **server, watched);
  *admins = {};  // they use the server and the log
  server->reset();
  const bool exported = exporter == nullptr || exporter->Stop(kLastSpans);
  if (!exported) Log(LogLevel::kWarn, "the last spans are lost: the collector did not take them in time");
  Log(LogLevel::kInfo, "stopped");
  if (!StopLogging() || !exported) std::_Exit(EXIT_SUCCESS);
  return absl::OkStatus();
}

}  // namespace igptd
