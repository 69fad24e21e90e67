// bench_load: keeps calls in flight to a gRPC service of igpt.v1.RecallService, or to iGPT's HTTP API itself, and
// prints what it measured as a line of JSON. It is far cheaper than the servers that it loads: one thread, one epoll
// set.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "bench/load/load.h"
#include "bench/load/options.h"
#include "bench/load/results.h"

int main(int argc, char** argv) {
  std::string error;
  const auto options = igpt::bench::ParseOptions(std::vector<std::string>(argv + 1, argv + argc), &error);
  if (!options) {
    std::fprintf(stderr, "bench_load: %s\n", error.c_str());
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  rlimit files = {};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  try {
    igpt::bench::Load load(*options);
    std::puts(ToJson(load.Run()).c_str());
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench_load: %s\n", failure.what());
    return 1;
  }
  return 0;
}
