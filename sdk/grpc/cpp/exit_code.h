// How igpt ends.
#pragma once

enum ExitCode {
  kExitDone = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitForNow = 3,
  kExitInterrupted = 130,
};

inline constexpr char kExitCodesHelp[] = R"(Exit codes:
  0    done
  1    failed
  2    wrong usage
  3    failed for now: trying again later can help
  130  interrupted
)";
