#include "flags.h"

#include <getopt.h>

#include <iostream>

const char kUsage[] = R"(usage: igpt-ask [flag...] "question"

  --server=HOST:PORT  where igptd is (127.0.0.1:50051)
  --user=USER         whose mail and documents are asked (demo)
  --quality=QUALITY   e.g. cef-1-high (iGPT's default)
  --json              answer in JSON
  --schema=FILE       answer in JSON that follows the JSON Schema in FILE
  --whole             answer at once, not as it is written
  --timeout=DURATION  how long the answer may take, e.g. 90s or 5m (60s)
  --verbose           show reasoning, tool calls and usage on stderr
  --help              print this and exit

Exit codes: 0 answered, 1 failed, 2 wrong usage, 130 interrupted.
)";

namespace {

std::optional<Flags> Wrong(const std::string& what) {
  std::cerr << "igpt-ask: " << what << "; see igpt-ask --help\n";
  return std::nullopt;
}

}  // namespace

std::optional<Flags> ParseFlags(int argc, char** argv) {
  const option options[] = {
      {"server", required_argument, nullptr, 's'},  {"user", required_argument, nullptr, 'u'},
      {"quality", required_argument, nullptr, 'q'}, {"json", no_argument, nullptr, 'j'},
      {"schema", required_argument, nullptr, 'f'},  {"whole", no_argument, nullptr, 'w'},
      {"timeout", required_argument, nullptr, 't'}, {"verbose", no_argument, nullptr, 'v'},
      {"help", no_argument, nullptr, 'h'},          {},
  };
  Flags flags;
  for (int flag; (flag = getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    switch (flag) {
      case 's':
        flags.server = optarg;
        break;
      case 'u':
        flags.user = optarg;
        break;
      case 'q':
        flags.quality = optarg;
        break;
      case 'j':
        flags.json = true;
        break;
      case 'f':
        flags.schema_file = optarg;
        break;
      case 'w':
        flags.whole = true;
        break;
      case 't':
        if (!absl::ParseDuration(optarg, &flags.timeout) || flags.timeout <= absl::ZeroDuration()) {
          return Wrong("--timeout must be a duration such as 90s or 5m");
        }
        break;
      case 'v':
        flags.verbose = true;
        break;
      case 'h':
        flags.help = true;
        return flags;
      default:
        return std::nullopt;  // getopt_long has printed what is wrong
    }
  }
  if (flags.json && !flags.schema_file.empty()) return Wrong("--json and --schema cannot be combined");
  if (argc - optind != 1) return Wrong(argc == optind ? "the question is missing" : "put the question in quotes");
  flags.question = argv[optind];
  return flags;
}
