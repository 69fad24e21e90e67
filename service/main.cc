// igptd: the iGPT API over gRPC.

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "google/protobuf/stubs/logging.h"
#include "igpt/version.h"
#include "service/access/callers.h"
#include "service/admin/admin_pages.h"
#include "service/admin/admin_server.h"
#include "service/config/config.h"
#include "service/config/config_files.h"
#include "service/config/file_watch.h"
#include "service/observe/log.h"
#include "service/observe/metrics.h"
#include "service/sandbox/sandbox.h"
#include "service/server.h"
#include "service/standard/probe.h"
#include "service/system/resources.h"

namespace igptd {
namespace {

// Keeps secrets in the process. A core dump would hold the keys and all that is being asked and answered; libcurl would
// write the secrets of its TLS connections, and so the key, to the file that the one variable names, and gRPC what it
// receives to the log at the other's word.
void KeepSecrets() {
  prctl(PR_SET_DUMPABLE, 0);  // also where a program takes the core, whatever the limit
  unsetenv("SSLKEYLOGFILE");
  unsetenv("GRPC_TRACE");
}

void AllowCoreDumps(bool allowed) {
  if (allowed) {
    prctl(PR_SET_DUMPABLE, 1);
    return;
  }
  const rlimit no_core = {.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &no_core);
}

// The configuration is wrong, or the address or a file can't be had.
constexpr int kExitConfiguration = 2;

// How often files are looked at for changes.
constexpr absl::Duration kWatchInterval = absl::Seconds(1);

// How late a second signal may be seen.
constexpr absl::Duration kSecondSignalInterval = absl::Milliseconds(50);

// Beyond --drain_timeout: whatever hangs then doesn't hold up the process.
constexpr absl::Duration kWatchdogMargin = absl::Seconds(4);

int Fail(const absl::Status& status) {
  const std::string message(status.message());
  std::fprintf(stderr, "igptd: %s\n", message.c_str());
  return kExitConfiguration;
}

// Takes the signals that igptd acts on away from all threads: only WaitForSignal sees them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Whether one that ends igptd came before the time was over. A SIGHUP changes the log level, and ends the wait.
bool WaitForSignal(const sigset_t& signals, absl::Duration timeout) {
  const timespec limit = absl::ToTimespec(timeout);
  const int signal = sigtimedwait(&signals, nullptr, &limit);
  if (signal == SIGHUP) ToggleDebugLog();
  return signal == SIGTERM || signal == SIGINT;
}

absl::Status WritePortFile(const std::string& path, int port) {
  // Moved into place, so that whoever waits for the file finds it whole.
  const std::string temporary = absl::StrCat(path, ".new");
  std::ofstream file(temporary);
  file << port << "\n";
  file.close();
  if (!file || std::rename(temporary.c_str(), path.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat("--port_file: cannot write ", path,
                                               ": give a path in a directory that "
                                               "can be written to"));
  }
  return absl::OkStatus();
}

// gRPC's own log lines go where ours go. What its HTTP/2 has to say quotes what callers sent, such as the value of a
// header that is wrong: of that only the place goes.
void LogGrpc(gpr_log_func_args* args) {
  const LogLevel level = args->severity == GPR_LOG_SEVERITY_ERROR ? LogLevel::kDebug : LogLevel::kTrace;
  const std::string_view file = args->file;
  LogLine line(level, "grpc");
  line.With("file", file.substr(file.rfind('/') + 1)).With("line", args->line);
  if (file.find("/chttp2/") == std::string_view::npos) line.With("detail", args->message);
}

// And so do protobuf's: it has one for every string of a request that is not UTF-8, and would write it to stderr
// itself.
void LogProtobuf(google::protobuf::LogLevel /*level*/, const char* /*file*/, int /*line*/, const std::string& message) {
  LogLine(LogLevel::kDebug, "protobuf").With("detail", message);
}

// The files that may change while igptd serves, and what to do then.
std::vector<FileWatch> WatchFiles(const Config& config, const ConfigFiles& files, Server& server) {
  std::vector<FileWatch> watches;
  if (files.key.value) {
    watches.emplace_back(
        "iGPT key", files.key.paths, files.key.contents, [&config, &server](const FileWatch::Contents& contents) {
          const absl::StatusOr<std::string> key = ParseApiKeyFile(config.igpt_api_key_file, contents[0]);
          return key.ok() ? server.SetApiKey(*key) : key.status();
        });
  }
  if (files.tls.value) {
    watches.emplace_back("certificates", files.tls.paths, files.tls.contents,
                         [&server](const FileWatch::Contents& contents) {
                           absl::StatusOr<TlsMaterial> material = ParseTls(contents);
                           if (!material.ok()) return material.status();
                           server.UseTls(*std::move(material));
                           return absl::OkStatus();
                         });
  }
  if (files.callers.value) {
    watches.emplace_back("callers", files.callers.paths, files.callers.contents,
                         [&config, &server](const FileWatch::Contents& contents) {
                           const absl::StatusOr<Callers> callers = ParseCallersFile(config, contents);
                           if (callers.ok()) server.UseCallers(*callers);
                           return callers.status();
                         });
  }
  return watches;
}

int Serve(const Config& config, const sigset_t& signals) {
  ServerOptions options;
  options.listen = config.listen;
  absl::StatusOr<ConfigFiles> files = ReadConfigFiles(config);
  if (!files.ok()) return Fail(files.status());
  options.client = config.client;
  if (files->key.value) options.client.api_key = *files->key.value;
  options.tls = files->tls.value;
  options.callers = files->callers.value;
  options.heartbeat_interval = config.heartbeat_interval;
  options.stalled_reader_timeout = config.stalled_reader_timeout;
  options.admission = config.admission;
  options.channelz = config.channelz;
  options.forward_faults = config.sandbox_faults;
  options.on_call_finished = LogCall;

  std::vector<Setting> settings = config.settings;
  std::unique_ptr<sandbox::Sandbox> sandbox;
  if (config.sandbox) {
    auto started = sandbox::Sandbox::Start({.listen = config.sandbox_listen, .faults = config.sandbox_faults});
    if (!started.ok()) return Fail(started.status());
    sandbox = *std::move(started);
    options.client.base_url = sandbox->base_url();
    for (Setting& setting : settings) {
      if (setting.name == "igpt_base_url") setting = {setting.name, sandbox->base_url(), "--sandbox"};
    }
    options.client.api_key = sandbox::kSandboxApiKey;
  }

  std::unique_ptr<AdminServer> admin;
  if (!config.admin_listen.empty()) {
    auto listening = AdminServer::Listen(config.admin_listen);
    if (!listening.ok()) return Fail(listening.status());
    admin = *std::move(listening);
  }
  Metrics metrics(absl::Now());
  options.metrics = &metrics;

  StartLogging(config.log_level, config.log_format);  // the first call can be over before Start returns
  absl::StatusOr<std::unique_ptr<Server>> started = Server::Start(std::move(options));
  if (!started.ok()) return Fail(started.status());
  Server& server = **started;
  std::vector<FileWatch> watches = WatchFiles(config, *files, server);
  const auto look_at_files = [&watches] {
    for (FileWatch& watch : watches) watch.Look();
  };
  if (!config.port_file.empty()) {
    if (absl::Status written = WritePortFile(config.port_file, server.port()); !written.ok()) return Fail(written);
  }
  if (admin != nullptr) {
    AddPages(*admin, server, metrics, settings);
    admin->Start();
  }

  {
    LogLine line(LogLevel::kInfo, "serving");
    line.With("listen", config.listen).With("port", server.port()).With("version", igpt::kVersion);
    if (admin != nullptr) line.With("admin_port", admin->port());
    line.With("tls", config.tls_cert_file.empty() ? "off" : config.tls_client_ca_file.empty() ? "on" : "mutual");
    if (sandbox != nullptr) line.With("sandbox", sandbox->base_url());
  }
  if (!files->callers.value) {
    Log(LogLevel::kWarn, "whoever can connect may call, and for any user: --callers_file says who may");
  }

  while (!WaitForSignal(signals, kWatchInterval)) look_at_files();

  LogLine(LogLevel::kInfo, "draining").With("delay", config.drain_delay).With("timeout", config.drain_timeout);
  std::thread([patience = config.drain_delay + config.drain_timeout + kWatchdogMargin] {
    absl::SleepFor(patience);
    std::_Exit(EXIT_FAILURE);
  }).detach();
  server.AnnounceShutdown();
  // The files are followed to the end: a key can change while calls are still served.
  bool again = false;
  const absl::Time drain_at = absl::Now() + config.drain_delay;
  for (absl::Time now = absl::Now(); !again && now < drain_at; now = absl::Now()) {
    again = WaitForSignal(signals, std::min(kWatchInterval, drain_at - now));
    look_at_files();
  }
  std::atomic<bool> drained = false;
  std::thread second_signal([&] {
    while (!again && !drained) {
      again = WaitForSignal(signals, kSecondSignalInterval);
      look_at_files();
    }
    if (again) server.EndCalls();
  });
  server.Drain(config.drain_timeout);
  drained = true;
  second_signal.join();
  Log(LogLevel::kInfo, "stopped");
  admin.reset();  // it asks the server and the log
  started->reset();
  if (!StopLogging()) std::_Exit(EXIT_SUCCESS);
  return EXIT_SUCCESS;
}

// `igptd hash-token`: makes an entry for the callers file from the token on stdin. A command line can be read by every
// user of the machine.
int HashTokenCommand() {
  if (isatty(STDIN_FILENO) != 0) std::fputs("The token, and Enter: ", stderr);
  std::string token;
  std::getline(std::cin, token);
  if (token.ends_with('\r')) token.pop_back();
  const absl::StatusOr<std::string> entry = MakeCallerEntry(token);
  if (!entry.ok()) return Fail(entry.status());
  std::puts(entry->c_str());
  return EXIT_SUCCESS;
}

// What Serve would refuse, without serving.
int Check(const Config& config) {
  if (absl::StatusOr<ConfigFiles> files = ReadConfigFiles(config); !files.ok()) return Fail(files.status());
  std::puts("igptd: the configuration is good");
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace igptd

int main(int argc, char** argv) {
  igptd::KeepSecrets();
  const sigset_t signals = igptd::BlockSignals();
  const std::vector<std::string> args(argv + 1, argv + argc);
  const auto getenv = [](const char* variable) -> const char* { return std::getenv(variable); };
  if (!args.empty() && args.front() == "health") return igptd::RunHealthProbe({args.begin() + 1, args.end()}, getenv);
  if (args == std::vector<std::string>{"hash-token"}) return igptd::HashTokenCommand();
  absl::StatusOr<igptd::Config> config = igptd::ParseConfig(args, getenv);
  if (!config.ok()) return igptd::Fail(config.status());
  if (config->help) {
    std::fputs(igptd::HelpText().c_str(), stdout);
    return EXIT_SUCCESS;
  }
  if (config->version) {
    std::printf("igptd %s\n", igpt::kVersion);
    return EXIT_SUCCESS;
  }
  igptd::AllowCoreDumps(config->allow_core_dumps);
  if (config->check_config) return igptd::Check(*config);
  igptd::RaiseDescriptorLimit();
  gpr_set_log_function(igptd::LogGrpc);
  google::protobuf::SetLogHandler(igptd::LogProtobuf);
  // Debian builds Abseil with the search for lock cycles that is meant for debugging: it runs at every lock of gRPC's.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Never undone: gRPC's own end waits up to 10 s for a thread of its that polls a socket which was full a moment ago.
  grpc_init();
  return igptd::Serve(*config, signals);
}
