// igpt run: answers a question as igpt ask does, with more ways to steer the answer.
#include <memory>

#include "client/call.h"
#include "command.h"
#include "igpt/v1/recall.grpc.pb.h"
#include "question.h"

namespace {

using igpt::v1::RecallService;
using igpt::v1::RunRequest;
using igpt::v1::RunResponse;

class RunCommand : public Command {
 public:
  void AddFlags(Flags& flags) override {
    flags.AddText("reasoning-effort", "EFFORT", "how hard to think: low, medium or high",
                  request_.mutable_reasoning_effort());
    flags.AddText("instructions", "TEXT", "how to answer, e.g. \"In French, in one paragraph.\"",
                  request_.mutable_instructions());
    question_.AddFlags(flags);
  }

  absl::Status TakeArguments(const std::vector<std::string>& arguments) override { return question_.Take(arguments); }

  grpc::Status Run(const Session& session) override {
    question_.Fill(request_);
    request_.set_user(session.flags.user);

    Call call(session);
    const std::unique_ptr<RecallService::Stub> recall = RecallService::NewStub(session.channel);
    const std::unique_ptr<grpc::ClientReader<RunResponse>> stream = recall->Run(call.context(), request_);
    return question_.Print(session, *stream);
  }

 private:
  Question question_;
  RunRequest request_;
};

}  // namespace

std::unique_ptr<Command> MakeRun() {
  return std::make_unique<RunCommand>();
}
