// What the load generator is told by its flags.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace igpt::bench {

// Named like the flags.
struct Options {
  std::string target;             // HOST:PORT
  std::string protocol = "grpc";  // grpc, http
  std::string method = "ask";     // ask, search
  std::string text = "bench events=100";
  bool whole = false;     // Ask for the whole answer at once
  int connections = 4;    // gRPC only: HTTP has one for each call in flight
  int in_flight = 1;      // calls that run at any time
  double every_ms = 0;    // a call starts in place of one that is over at a multiple of it; 0: at once
  double warmup_s = 1;    // between the first event of the last call and the measurement
  double seconds = 3;     // how long is measured
  double open_per_s = 0;  // calls started per second at the beginning; 0: all at once
  int slow_readers = 0;   // Ask calls beside the load that take nothing beyond the initial window
  std::string slow_text = "bench events=100000";
  std::string tls_ca;    // PEM file; empty: no TLS
  std::string tls_cert;  // PEM files of a client certificate; empty: none
  std::string tls_key;
};

// Nothing, with one line in `error`, when a flag is unknown or bad.
std::optional<Options> ParseOptions(const std::vector<std::string>& args, std::string* error);

}  // namespace igpt::bench
