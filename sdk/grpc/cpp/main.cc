// igpt-ask: asks igptd a question and prints the answer as it streams in. A small program to learn from: it has what a
// real client of igptd needs, which is a deadline, a way to cancel, and errors that say what to do.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "answer_printer.h"
#include "error_details.h"
#include "flags.h"
#include "igpt/v1/recall.grpc.pb.h"
#include "interrupt.h"

namespace {

constexpr int kExitAnswered = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitInterrupted = 130;

// How long to wait for an igptd that is still starting.
constexpr absl::Duration kConnectTimeout = absl::Seconds(60);
// After this long, print what we are waiting for.
constexpr absl::Duration kConnectPatience = absl::Seconds(1);
// How often to check for Ctrl-C meanwhile.
constexpr absl::Duration kConnectInterval = absl::Milliseconds(100);

std::optional<igpt::v1::AskRequest> MakeRequest(const Flags& flags) {
  igpt::v1::AskRequest request;
  request.set_user(flags.user);
  request.set_input(flags.question);
  request.set_quality(flags.quality);
  request.set_whole_answer(flags.whole);
  if (flags.json) request.mutable_output_format()->mutable_json();
  if (!flags.schema_file.empty()) {
    std::ifstream file(flags.schema_file);
    std::ostringstream schema;
    if (!(schema << file.rdbuf())) {
      std::cerr << "igpt-ask: " << flags.schema_file << " is empty or cannot be read\n";
      return std::nullopt;
    }
    // igptd passes the text on exactly as written.
    request.mutable_output_format()->mutable_json_schema()->set_schema(schema.str());
  }
  return request;
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& server) {
  grpc::ChannelArguments arguments;
  // A whole answer may be larger than gRPC's default limit of 4 MiB; igptd limits it.
  arguments.SetMaxReceiveMessageSize(-1);
  // Finds a server that is starting at once, not after gRPC's growing backoff.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
}

// Waits for the server. Returns false on a timeout or Ctrl-C.
bool AwaitServer(grpc::Channel& channel, const Flags& flags, const Interrupt& interrupt) {
  const absl::Time start = absl::Now();
  const absl::Time end = start + std::min(kConnectTimeout, flags.timeout);
  bool told = false;
  while (!channel.WaitForConnected(absl::ToChronoTime(std::min(absl::Now() + kConnectInterval, end)))) {
    if (interrupt.happened() || absl::Now() >= end) return false;
    if (!told && absl::Now() - start > kConnectPatience) {
      std::cerr << "igpt-ask: waiting for igptd at " << flags.server << "\n";
      told = true;
    }
  }
  return true;
}

// Asks, prints the answer, and returns the exit code.
int Ask(const Flags& flags, const igpt::v1::AskRequest& request) {
  grpc::ClientContext context;
  const Interrupt interrupt(context);
  const std::shared_ptr<grpc::Channel> channel = MakeChannel(flags.server);
  if (!AwaitServer(*channel, flags, interrupt)) {
    if (interrupt.happened()) return kExitInterrupted;
    std::cerr << "igpt-ask: no igptd answers at " << flags.server << "; start one with ./dev run\n";
    return kExitFailed;
  }

  // Without a deadline, a call can last as long as igptd allows.
  context.set_deadline(absl::ToChronoTime(absl::Now() + flags.timeout));
  const std::unique_ptr<igpt::v1::RecallService::Stub> recall = igpt::v1::RecallService::NewStub(channel);
  const std::unique_ptr<grpc::ClientReader<igpt::v1::AskResponse>> stream = recall->Ask(&context, request);

  AnswerPrinter printer(request.has_output_format(), flags.verbose);
  igpt::v1::AskResponse response;
  while (stream->Read(&response)) {
    // Heartbeats only keep the connection alive.
    if (response.has_event()) printer.Print(response.event());
  }
  // Only the status tells whether the answer is complete.
  const grpc::Status status = stream->Finish();
  printer.End(status.ok());

  if (status.ok()) return kExitAnswered;
  if (interrupt.happened()) return kExitInterrupted;
  std::cerr << "igpt-ask: " << Describe(status) << "\n";
  return kExitFailed;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Flags> flags = ParseFlags(argc, argv);
  if (!flags) return kExitUsage;
  if (flags->help) {
    std::cout << kUsage;
    return kExitAnswered;
  }
  const std::optional<igpt::v1::AskRequest> request = MakeRequest(*flags);
  return request ? Ask(*flags, *request) : kExitUsage;
}
