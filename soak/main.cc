// igptd_soak: a seeded mix of calls, cancels, faults, restarts, key changes and attacks against real igptds, and the
// proof that every caller got the correct result.
#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "soak/attackers.h"
#include "soak/callers.h"
#include "soak/checker.h"
#include "soak/gzip_bombs.h"
#include "soak/history.h"
#include "soak/replacement.h"
#include "soak/report.h"
#include "soak/upstream.h"

namespace igpt::soak {
namespace {

// Enough to keep the machine busy, but not more: otherwise the time until a cancel acts would only measure the wait for
// a free core.
constexpr int kCallersPerCore = 24;

constexpr auto kProgressInterval = std::chrono::seconds(10);

struct Flags {
  double minutes = 2;
  uint64_t seed = 1;
  bool haproxy = true;
};

std::optional<Flags> ParseFlags(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    absl::string_view flag = argv[i];
    if (flag == "--no-haproxy") {
      flags.haproxy = false;
    } else if (absl::ConsumePrefix(&flag, "--igptd=")) {
      ::setenv("IGPTD_BINARY", std::string(flag).c_str(), /*replace=*/1);
    } else if (!(absl::ConsumePrefix(&flag, "--minutes=") && absl::SimpleAtod(flag, &flags.minutes)) &&
               !(absl::ConsumePrefix(&flag, "--seed=") && absl::SimpleAtoi(flag, &flags.seed))) {
      std::fprintf(stderr, "igptd_soak [--minutes=2] [--seed=1] [--igptd=PATH] [--no-haproxy]\n");
      return std::nullopt;
    }
  }
  return flags;
}

// A stream takes file descriptors on both sides of haproxy.
void RaiseFileLimit() {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Prints progress to stderr; only the report goes to stdout.
template <typename... Args>
void Say(const absl::FormatSpec<Args...>& format, const Args&... args) {
  std::fputs(absl::StrCat("==> ", absl::StrFormat(format, args...), "\n").c_str(), stderr);
}

// Prints progress until it is stopped.
void SayProgress(const std::stop_token& stop, const Callers& callers, absl::Duration total) {
  const MonotonicTime begin = MonotonicTime::Now();
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (true) {
    never.wait_for(lock, stop, kProgressInterval, [] { return false; });
    if (stop.stop_requested()) return;
    const absl::Duration left = begin + total - MonotonicTime::Now();
    Say("minute %.1f of %.1f: %d calls, %d violations in what they received; %s", absl::ToDoubleMinutes(total - left),
        absl::ToDoubleMinutes(total), callers.ended(), callers.violations(),
        left > absl::ZeroDuration() ? absl::StrFormat("%.0f s left", absl::ToDoubleSeconds(left))
                                    : std::string("the last calls are still running"));
  }
}

int Soak(const Flags& flags, const std::string& directory) {
  Recorder recorder;
  std::unique_ptr<Callers> callers;
  Upstream upstream(flags.seed, recorder, [&callers](uint32_t call) { callers->OnMoment(call); });
  Replacement replacement(directory, upstream, recorder);
  Say("starting %s", flags.haproxy ? "two igptds behind haproxy" : "one igptd");
  if (absl::Status started = replacement.Start(flags.haproxy); !started.ok()) {
    std::fprintf(stderr, "igptd_soak: %s\n", started.ToString().c_str());
    return EXIT_FAILURE;
  }
  callers = std::make_unique<Callers>(flags.seed, replacement.target(), recorder);
  replacement.Begin();
  const int threads = kCallersPerCore * static_cast<int>(std::thread::hardware_concurrency());
  const absl::Duration total = absl::Minutes(flags.minutes);
  Say("calling from %d threads for %.1f minutes, seed %d", threads, flags.minutes, flags.seed);
  int bombs = 0;
  int attacks = 0;
  {
    const GzipBombs gzip_bombs(replacement.target(), recorder);
    const Attackers attackers(replacement.addresses());
    const std::jthread progress([&callers, total](const std::stop_token& stop) { SayProgress(stop, *callers, total); });
    callers->Run(threads, MonotonicTime::Now() + total);
    bombs = gzip_bombs.sent();
    attacks = attackers.connections();
  }
  Say("stopping igptd, which drains first");
  replacement.Stop();

  recorder.AwaitNoneRunning(kLeftRunning);
  const History history = recorder.Take();
  Say("checking %d calls against %d requests and %d log lines", history.calls.size(), history.attempts.size(),
      history.log.size());
  const std::vector<Violation> violations = Check(history);
  const Circumstances circumstances = {
      flags.seed, flags.minutes, replacement.replaced(), replacement.keys(), replacement.clock_steps(), bombs, attacks};
  std::fputs(Report(circumstances, history, violations).c_str(), stdout);
  return violations.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace igpt::soak

int main(int argc, char** argv) {
  const std::optional<igpt::soak::Flags> flags = igpt::soak::ParseFlags(argc, argv);
  if (!flags.has_value()) return 2;
  igpt::soak::RaiseFileLimit();
  std::string directory = std::filesystem::temp_directory_path() / "igptd-soak-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) {
    std::perror("mkdtemp");
    return EXIT_FAILURE;
  }
  const int result = igpt::soak::Soak(*flags, directory);
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  return result;
}
