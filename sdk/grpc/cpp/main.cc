// igpt: asks igptd from a terminal or a script. A small program to learn from: each of its commands, in a file of its
// own, shows how to call one RPC; client/ has what every client of igptd needs.
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/connect.h"
#include "client/credentials.h"
#include "client/deadline.h"
#include "client/errors.h"
#include "client/interrupt.h"
#include "client/session.h"
#include "command.h"
#include "common_flags.h"
#include "exit_code.h"
#include "flags.h"
#include "terminal/note.h"
#include "terminal/terminal.h"
#include "terminal/wrap.h"

namespace {

struct Row {
  std::string name;
  std::string arguments;  // as usage shows them
  std::string help;
  std::unique_ptr<Command> (*make)();
};

const Row kCommands[] = {
    {"ask", "\"question\"", "answers from the user's mail and documents", MakeAsk},
    {"run", "\"question\"", "answers as ask does, with more ways to steer the answer", MakeRun},
    {"search", "[word...]", "finds messages and documents", MakeSearch},
    {"authorize", "SERVICE SCOPE...", "starts connecting a datasource", MakeAuthorize},
    {"list", "", "lists the user's datasources and how far each is indexed", MakeList},
    {"disconnect", "ID", "disconnects a datasource and removes its index", MakeDisconnect},
};

// `command` is "" or " name".
int WrongUsage(const std::string& command, const std::string& what) {
  PrintError(absl::StrCat("igpt", command, ": ", what, "; see igpt", command, " --help"));
  return kExitUsage;
}

std::string Usage(const Row& row) {
  return absl::StrCat("igpt ", row.name, row.arguments.empty() ? "" : " ", row.arguments);
}

int Help() {
  const int width = Terminal::Out().width();
  constexpr size_t kColumn = 34;
  std::cout << "usage: igpt COMMAND [argument...] [flag...]\n\n";
  for (const Row& row : kCommands) {
    std::string line = "  " + Usage(row);
    line.resize(kColumn, ' ');
    std::cout << Wrapped(absl::StrCat(line, row.help), width, std::string(kColumn, ' ')) << "\n";
  }
  std::cout << "\nigpt COMMAND --help lists the flags of a command.\n\n" << kExitCodesHelp;
  return kExitDone;
}

int Help(const Row& row, const Flags& flags) {
  const int width = Terminal::Out().width();
  std::cout << "usage: " << Usage(row) << " [flag...]\n"
            << Wrapped(row.help, width) << "\n\n"
            << flags.Help(width) << "\n"
            << kExitCodesHelp;
  return kExitDone;
}

// Prints the error of a call, if there is one.
int Report(const grpc::Status& status, const std::string& command, const CommonFlags& flags,
           const Interrupt& interrupt) {
  if (status.ok()) return kExitDone;
  if (interrupt.happened()) return kExitInterrupted;
  if (flags.json_output()) {
    std::cerr << DescribeAsJson(status) << "\n";
  } else {
    PrintError(absl::StrCat("igpt", command, ": ", Describe(status, flags.server)));
  }
  return ExitCodeOf(status);
}

int RunCommand(const Row& row, const std::vector<std::string>& arguments) {
  const std::string name = absl::StrCat(" ", row.name);
  const std::unique_ptr<Command> command = row.make();
  CommonFlags common;
  common.timeout = command->default_timeout();
  Flags flags;
  command->AddFlags(flags);
  common.AddTo(flags);
  const absl::StatusOr<std::vector<std::string>> operands = flags.Parse(arguments);
  if (!operands.ok()) return WrongUsage(name, std::string(operands.status().message()));
  if (common.help) return Help(row, flags);
  absl::Status usage = common.Check();
  usage.Update(command->TakeArguments(*operands));
  if (!usage.ok()) return WrongUsage(name, std::string(usage.message()));

  Interrupt interrupt;
  const absl::StatusOr<Credentials> credentials = ReadCredentials(common);
  if (!credentials.ok()) return WrongUsage(name, std::string(credentials.status().message()));
  const std::shared_ptr<grpc::Channel> channel = Connect(common, *credentials, interrupt);
  const Session session = {common, channel, credentials->token, DeadlineAfter(common.timeout), interrupt};
  return Report(command->Run(session), name, common, interrupt);
}

int FindAndRun(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return WrongUsage("", "the command is missing");
  if (arguments.front() == "--help") return Help();
  for (const Row& row : kCommands) {
    if (row.name == arguments.front()) return RunCommand(row, arguments);
  }
  return WrongUsage("", absl::StrCat("there is no command ", arguments.front()));
}

}  // namespace

int main(int argc, char** argv) {
  // Whoever reads stdout may stop, as `head` does. Then this ends, quietly, and igptd cancels the call.
  std::signal(SIGPIPE, SIG_DFL);
  // gRPC's own log would be in between. What it says of a failed call is in the call's status.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  const int code = FindAndRun({argv + 1, argv + argc});
  if (std::cout.flush()) return code;
  PrintError("igpt: cannot write to stdout");
  return kExitFailed;
}
