// igpt disconnect: disconnects a datasource and removes its index.
#include <memory>

#include "client/call.h"
#include "command.h"
#include "igpt/v1/datasources.grpc.pb.h"
#include "json.h"
#include "terminal/note.h"

namespace {

using igpt::v1::DatasourcesService;
using igpt::v1::DisconnectRequest;
using igpt::v1::DisconnectResponse;

class Disconnect : public Command {
 public:
  absl::Status TakeArguments(const std::vector<std::string>& arguments) override {
    if (arguments.size() != 1) return absl::InvalidArgumentError("needs one id; igpt list shows the ids");
    request_.set_id(arguments.front());
    return absl::OkStatus();
  }

  grpc::Status Run(const Session& session) override {
    request_.set_user(session.flags.user);

    Call call(session);
    const std::unique_ptr<DatasourcesService::Stub> datasources = DatasourcesService::NewStub(session.channel);
    DisconnectResponse response;
    const grpc::Status status = datasources->Disconnect(call.context(), request_, &response);
    if (!status.ok()) return status;
    if (session.flags.json_output()) {
      PrintJson(response);
    } else {
      PrintNote("Disconnected " + request_.id());
    }
    return status;
  }

 private:
  DisconnectRequest request_;
};

}  // namespace

std::unique_ptr<Command> MakeDisconnect() {
  return std::make_unique<Disconnect>();
}
