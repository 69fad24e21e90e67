// What every command of igpt is.
#pragma once

#include <grpcpp/support/status.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/session.h"
#include "flags.h"

class Command {
 public:
  virtual ~Command() = default;

  // The default of --timeout.
  virtual absl::Duration default_timeout() const { return absl::Seconds(60); }

  // Adds the command's own flags. They set members of it.
  virtual void AddFlags(Flags& /*flags*/) {}

  // Takes the arguments that are not flags, after the flags were set. An error is wrong usage, and says what is wrong.
  virtual absl::Status TakeArguments(const std::vector<std::string>& arguments) = 0;

  // Makes the call and prints the answer. Whoever runs this prints the error.
  virtual grpc::Status Run(const Session& session) = 0;
};

// Each is in a file of its name: ask.cc, run.cc, …
std::unique_ptr<Command> MakeAsk();
std::unique_ptr<Command> MakeRun();
std::unique_ptr<Command> MakeSearch();
std::unique_ptr<Command> MakeAuthorize();
std::unique_ptr<Command> MakeList();
std::unique_ptr<Command> MakeDisconnect();
