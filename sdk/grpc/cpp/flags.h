// The command line of igpt-ask.
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"

// The output of --help.
extern const char kUsage[];

struct Flags {
  std::string server = "127.0.0.1:50051";
  std::string user = "demo";
  std::string quality;      // empty: iGPT's default
  bool json = false;        // answer in JSON
  std::string schema_file;  // answer in JSON that follows this schema; empty: none
  bool whole = false;       // print the answer at once, not as it streams in
  absl::Duration timeout = absl::Seconds(60);
  bool verbose = false;
  bool help = false;
  std::string question;
};

// Returns nullopt for a bad command line, after printing to stderr what is wrong.
std::optional<Flags> ParseFlags(int argc, char** argv);
