#include "service/system/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>

namespace igptd {

void KeepSecrets() {
  prctl(PR_SET_DUMPABLE, 0);  // a program that receives core dumps gets them whatever the limit
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

void RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace igptd
