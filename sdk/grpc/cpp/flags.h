// The command line of igpt-ask.
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"

// How it is used, for people.
extern const char kUsage[];

struct Flags {
  std::string server = "127.0.0.1:50051";
  std::string user = "demo";
  std::string quality;      // empty: iGPT's default
  bool json = false;        // the answer in JSON
  std::string schema_file;  // the answer in JSON of this schema; empty: none
  bool whole = false;       // the answer at once, not as it is written
  absl::Duration timeout = absl::Seconds(60);
  bool verbose = false;
  bool help = false;
  std::string question;
};

// nullopt when something is wrong; stderr has been told what.
std::optional<Flags> ParseFlags(int argc, char** argv);
