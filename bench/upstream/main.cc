// bench_upstream: a stand-in for iGPT that is fast enough not to affect what a benchmark measures.
//
//   bench_upstream --port_file=PATH [--tls_cert=PEM --tls_key=PEM]
//
// Serves POST …/recall/ask/ and …/recall/search/ on 127.0.0.1 until SIGTERM; see directives.h for what a request can
// ask for. The port is written to the file, in decimal, once the server listens.

#include <openssl/err.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "bench/upstream/server.h"
#include "bench/upstream/socket.h"

namespace igpt::bench {
namespace {

constexpr int kExitConfiguration = 2;

struct Flags {
  std::string port_file;
  std::string tls_cert;
  std::string tls_key;
};

bool ParseFlag(std::string_view argument, std::string_view name, std::string* value) {
  if (!argument.starts_with(name)) return false;
  *value = argument.substr(name.size());
  return true;
}

bool ParseFlags(int argc, char** argv, Flags* flags) {
  for (int i = 1; i < argc; ++i) {
    if (!ParseFlag(argv[i], "--port_file=", &flags->port_file) &&
        !ParseFlag(argv[i], "--tls_cert=", &flags->tls_cert) && !ParseFlag(argv[i], "--tls_key=", &flags->tls_key)) {
      return false;
    }
  }
  return !flags->port_file.empty() && flags->tls_cert.empty() == flags->tls_key.empty();
}

// Readable once the process is asked to end.
testing::UniqueFd WatchSigterm() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return testing::UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC));
}

void RaiseDescriptorLimit() {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Renames a complete file, so that nobody reads a half-written one.
bool WritePortFile(const std::string& path, int port) {
  const std::string unfinished = path + ".tmp";
  std::ofstream file(unfinished);
  file << port;
  file.close();
  return file && std::rename(unfinished.c_str(), path.c_str()) == 0;
}

int Main(int argc, char** argv) {
  Flags flags;
  if (!ParseFlags(argc, argv, &flags)) {
    std::fprintf(stderr, "usage: bench_upstream --port_file=PATH [--tls_cert=PEM --tls_key=PEM]\n");
    return kExitConfiguration;
  }
  TlsContext tls(nullptr, SSL_CTX_free);
  if (!flags.tls_cert.empty()) {
    tls = MakeTlsContext(flags.tls_cert, flags.tls_key);
    if (tls == nullptr) {
      ERR_print_errors_fp(stderr);
      return kExitConfiguration;
    }
  }
  RaiseDescriptorLimit();
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  Server server(tls.get(), WatchSigterm());
  if (!WritePortFile(flags.port_file, server.port())) {
    std::perror(flags.port_file.c_str());
    return kExitConfiguration;
  }
  server.Run();
  return 0;
}

}  // namespace
}  // namespace igpt::bench

int main(int argc, char** argv) {
  return igpt::bench::Main(argc, argv);
}
