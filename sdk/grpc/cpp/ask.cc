// igpt ask: answers a question, as a stream of events.
#include <memory>

#include "answer_printer.h"
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
    AnswerPrinter printer(question_.Printing(session));
    AskResponse response;
    while (stream->Read(&response)) {
      // A heartbeat only keeps the connection alive.
      if (response.has_event()) printer.Print(response.event());
    }
    // Only the status tells whether the answer is complete.
    const grpc::Status status = stream->Finish();
    printer.End(status.ok());
    return status;
  }

 private:
  Question question_;
  AskRequest request_;
};

}  // namespace

std::unique_ptr<Command> MakeAsk() {
  return std::make_unique<Ask>();
}
