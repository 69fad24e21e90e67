// The load generator's flags.
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
  bool whole = false;     // Ask with whole_answer
  int connections = 4;    // gRPC only: HTTP has one for each call in flight
  int in_flight = 1;      // calls that run at any time
  double every_ms = 0;    // the next call starts at a multiple of this after the last one; 0: at once
  double warmup_s = 1;    // between the first event of the last call and the measurement
  double seconds = 3;     // how long is measured
  double open_per_s = 0;  // calls started per second at the beginning; 0: all at once
  int slow_readers = 0;   // additional Ask calls that read nothing beyond the initial window
  std::string slow_text = "bench events=100000";
  std::string tls_ca;    // PEM file; empty: no TLS
  std::string tls_cert;  // PEM files of a client certificate; empty: none
  std::string tls_key;
};

// Returns nullopt, with one line in `error`, if a flag is unknown or bad.
std::optional<Options> ParseOptions(const std::vector<std::string>& args, std::string* error);

}  // namespace igpt::bench
