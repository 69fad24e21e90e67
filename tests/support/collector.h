// A collector of spans for tests: what igptd exports by OTLP as JSON.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "igpt/testing/scripted_http_server.h"

namespace igpt::testing {

struct ExportedSpan {
  bool of_server = false;  // otherwise a client's
  std::string name;
  std::string trace_id;
  std::string span_id;
  std::string parent_id;  // empty: none
  bool failed = false;
  std::string description = {};                        // of the status
  std::map<std::string, std::string> attributes = {};  // numbers as text
  int64_t start = 0;                                   // in nanoseconds
  int64_t end = 0;
};

class Collector {
 public:
  explicit Collector(ScriptedHttpServer::Mode mode = ScriptedHttpServer::Mode::kServe);

  // Variables with which igptd exports to it, at once.
  std::vector<std::string> Environment() const;

  // Waits until it has this many spans, and returns all; fails the test if there are fewer in time.
  std::vector<ExportedSpan> AwaitSpans(size_t count) const;

  ScriptedHttpServer server;
};

}  // namespace igpt::testing
