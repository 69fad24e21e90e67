// igpt ask: answers a question, as a stream of events.
#include <memory>

#include "client/call.h"
#include "command.h"
#include "igpt/v1/recall.grpc.pb.h"
#include "question.h"

namespace {

using igpt::v1::AskRequest;
using igpt::v1::AskResponse;
using igpt::v1::RecallService;

class Ask : public Command {
 public:
  void AddFlags(Flags& flags) override { question_.AddFlags(flags); }

  absl::Status TakeArguments(const std::vector<std::string>& arguments) override { return question_.Take(arguments); }

  grpc::Status Run(const Session& session) override {
    question_.Fill(request_);
    request_.set_user(session.flags.user);

    Call call(session);
    const std::unique_ptr<RecallService::Stub> recall = RecallService::NewStub(session.channel);
    const std::unique_ptr<grpc::ClientReader<AskResponse>> stream = recall->Ask(call.context(), request_);
    return question_.Print(session, *stream);
  }

 private:
  Question question_;
  AskRequest request_;
};

}  // namespace

std::unique_ptr<Command> MakeAsk() {
  return std::make_unique<Ask>();
}
