// igpt authorize: starts connecting a datasource.
#include <iostream>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/call.h"
#include "client/deadline.h"
#include "client/errors.h"
#include "command.h"
#include "igpt/v1/connectors.grpc.pb.h"
#include "igpt/v1/datasources.grpc.pb.h"
#include "json.h"
#include "terminal/note.h"
#include "terminal/printable.h"
#include "terminal/progress_line.h"

namespace {

using igpt::v1::AuthorizeRequest;
using igpt::v1::AuthorizeResponse;
using igpt::v1::ConnectorsService;
using igpt::v1::Datasource;
using igpt::v1::DatasourcesService;
using igpt::v1::ListRequest;
using igpt::v1::ListResponse;

class Authorize : public Command {
 public:
  // With --wait, a person has to read and agree meanwhile.
  absl::Duration default_timeout() const override { return absl::Minutes(10); }

  void AddFlags(Flags& flags) override {
    flags.AddText("redirect-uri", "URI", "where iGPT sends the user afterwards", request_.mutable_redirect_uri());
    flags.AddText("state", "STATE", "what iGPT returns there", request_.mutable_state());
    flags.AddSwitch("wait", "wait until the datasource is connected, for --timeout at most", &wait_);
  }

  absl::Status TakeArguments(const std::vector<std::string>& arguments) override {
    if (arguments.size() < 2) return absl::InvalidArgumentError("needs a service and a scope, e.g. spike messages");
    request_.set_service(arguments.front());
    request_.set_scope(absl::StrJoin(arguments.begin() + 1, arguments.end(), " "));
    return absl::OkStatus();
  }

  grpc::Status Run(const Session& session) override {
    request_.set_user(session.flags.user);
    ListResponse before;
    if (wait_) {
      grpc::Status listed = ListDatasources(session, before);
      if (!listed.ok()) return listed;
    }

    Call call(session);
    const std::unique_ptr<ConnectorsService::Stub> connectors = ConnectorsService::NewStub(session.channel);
    AuthorizeResponse response;
    grpc::Status status = connectors->Authorize(call.context(), request_, &response);
    if (!status.ok()) return status;
    if (session.flags.json_output()) {
      PrintJson(response);
    } else {
      // One line, however long, so that it can be copied.
      PrintNote(absl::StrCat("Open this page to connect ", request_.service(), ":"));
      std::cout << OneLine(response.url()) << "\n" << std::flush;
    }
    return wait_ ? AwaitDatasource(session, before) : status;
  }

 private:
  grpc::Status ListDatasources(const Session& session, ListResponse& response) const {
    ListRequest request;
    request.set_user(session.flags.user);
    Call call(session);
    return DatasourcesService::NewStub(session.channel)->List(call.context(), request, &response);
  }

  // Asks for the list until a datasource of the service is in it that was not there before, or was not like this: one
  // that is connected again keeps its id.
  grpc::Status AwaitDatasource(const Session& session, const ListResponse& before) const {
    constexpr absl::Duration kInterval = absl::Seconds(1);
    std::set<std::string> known;
    for (const Datasource& datasource : before.datasources()) known.insert(datasource.SerializeAsString());

    ProgressLine progress;
    progress.Show(absl::StrCat("waiting until ", request_.service(), " is connected …"));
    while (!HasPassed(session.deadline)) {
      ListResponse now;
      grpc::Status status = ListDatasources(session, now);
      // What fails only for now is asked again.
      if (!status.ok() && ExitCodeOf(status) != kExitForNow) return status;
      for (const Datasource& datasource : now.datasources()) {
        if (datasource.service() != request_.service() || known.count(datasource.SerializeAsString()) > 0) continue;
        progress.Erase();
        if (session.flags.json_output()) {
          PrintJson(datasource);
        } else {
          PrintNote(absl::StrCat("Connected: ", OneLine(datasource.title()), ", ", OneLine(datasource.id())));
        }
        return grpc::Status::OK;
      }
      if (!session.interrupt.Sleep(kInterval)) return grpc::Status::CANCELLED;
    }
    return {grpc::StatusCode::DEADLINE_EXCEEDED,
            absl::StrCat("no new datasource of ", request_.service(), " was connected in time")};
  }

  AuthorizeRequest request_;
  bool wait_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeAuthorize() {
  return std::make_unique<Authorize>();
}
