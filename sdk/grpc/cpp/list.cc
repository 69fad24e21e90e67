// igpt list: lists a user's datasources, and how far each is indexed.
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/call.h"
#include "command.h"
#include "igpt/v1/datasources.grpc.pb.h"
#include "json.h"
#include "terminal/note.h"
#include "terminal/printable.h"
#include "terminal/progress_bar.h"
#include "terminal/terminal.h"
#include "terminal/wrap.h"

namespace {

using igpt::v1::Datasource;
using igpt::v1::DatasourcesService;
using igpt::v1::ListRequest;
using igpt::v1::ListResponse;

// "2024-05-31" in UTC, or "?".
std::string Date(bool known, const google::protobuf::Timestamp& time) {
  return known ? google::protobuf::util::TimeUtil::ToString(time).substr(0, 10) : "?";
}

// "enabled, 2026-02-17 to 2026-10-02"
std::string State(const Datasource& datasource) {
  std::string state = datasource.status();
  if (datasource.has_oldest_item_time() || datasource.has_newest_item_time()) {
    absl::StrAppend(&state, state.empty() ? "" : ", ",
                    Date(datasource.has_oldest_item_time(), datasource.oldest_item_time()), " to ",
                    Date(datasource.has_newest_item_time(), datasource.newest_item_time()));
  }
  return OneLine(state);
}

void Print(const Datasource& datasource, const Terminal& out) {
  constexpr std::string_view kIndent = "  ";
  constexpr int kLongestBar = 60;
  const auto print = [&](const std::string& line) {
    std::cout << Wrapped(std::string(kIndent) + line, out.width(), kIndent) << "\n";
  };
  std::string title = OneLine(datasource.title().empty() ? datasource.type() : datasource.title());
  if (!datasource.subtitle().empty()) absl::StrAppend(&title, ", ", OneLine(datasource.subtitle()));
  std::cout << out.Bold(Wrapped(title, out.width(), kIndent)) << "\n";
  print(OneLine(datasource.id()));
  if (const std::string state = State(datasource); !state.empty()) print(state);
  if (datasource.has_progress()) {
    std::cout << kIndent
              << ProgressBar(datasource.progress(),
                             std::min(kLongestBar, out.width() - static_cast<int>(kIndent.size())))
              << "\n";
  }
}

void Print(const ListResponse& response) {
  if (response.datasources().empty()) PrintNote("Nothing is connected; igpt authorize connects a datasource.");
  const Terminal out = Terminal::Out();
  bool first = true;
  for (const Datasource& datasource : response.datasources()) {
    std::cout << (first ? "" : "\n");
    Print(datasource, out);
    first = false;
  }
}

class List : public Command {
 public:
  absl::Status TakeArguments(const std::vector<std::string>& arguments) override {
    return arguments.empty() ? absl::OkStatus() : absl::InvalidArgumentError("takes no arguments");
  }

  grpc::Status Run(const Session& session) override {
    ListRequest request;
    request.set_user(session.flags.user);

    Call call(session);
    const std::unique_ptr<DatasourcesService::Stub> datasources = DatasourcesService::NewStub(session.channel);
    ListResponse response;
    const grpc::Status status = datasources->List(call.context(), request, &response);
    if (!status.ok()) return status;
    if (session.flags.json_output()) {
      PrintJson(response);
    } else {
      Print(response);
    }
    return status;
  }
};

}  // namespace

std::unique_ptr<Command> MakeList() {
  return std::make_unique<List>();
}
