// igptd_soak: a seeded mix of calls, cancels, faults, restarts and key changes against real igptds, and the proof that
// no caller was told anything but the truth.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "soak/callers.h"
#include "soak/checker.h"
#include "soak/history.h"
#include "soak/replacement.h"
#include "soak/report.h"
#include "soak/upstream.h"

namespace igpt::soak {
namespace {

// So many that the machine is busy, but not more: how soon a cancel acts would else be how soon a core is free for it.
constexpr int kCallersPerCore = 24;

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

// A stream takes descriptors on both sides of haproxy.
void RaiseFileLimit() {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int Soak(const Flags& flags, const std::string& directory) {
  Recorder recorder;
  std::unique_ptr<Callers> callers;
  Upstream upstream(flags.seed, recorder, [&callers](uint32_t call) { callers->OnMoment(call); });
  Replacement replacement(directory, upstream, recorder);
  if (absl::Status started = replacement.Start(flags.haproxy); !started.ok()) {
    std::fprintf(stderr, "igptd_soak: %s\n", started.ToString().c_str());
    return EXIT_FAILURE;
  }
  callers = std::make_unique<Callers>(flags.seed, replacement.target(), recorder);
  replacement.Begin();
  callers->Run(kCallersPerCore * static_cast<int>(std::thread::hardware_concurrency()),
               absl::Now() + absl::Minutes(flags.minutes));
  replacement.Stop();

  recorder.AwaitNoneRunning(kLeftRunning);
  const History history = recorder.Take();
  const std::vector<Violation> violations = Check(history);
  const Circumstances circumstances = {flags.seed, flags.minutes, replacement.replaced(), replacement.keys()};
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
