// igpt search: finds messages and documents.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/call.h"
#include "command.h"
#include "igpt/v1/recall.grpc.pb.h"
#include "json.h"
#include "terminal/columns.h"
#include "terminal/note.h"
#include "terminal/printable.h"
#include "terminal/terminal.h"
#include "terminal/wrap.h"

namespace {

using igpt::v1::RecallService;
using igpt::v1::SearchRequest;
using igpt::v1::SearchResponse;
using igpt::v1::SearchResult;

// How much of a result's text people see.
constexpr int kExcerptColumns = 300;

// "Emma to Elena, Maya, 2026-06-11"
std::string Origin(const SearchResult& result) {
  std::string origin = result.sender();
  if (result.recipients_size() > 0) absl::StrAppend(&origin, " to ", absl::StrJoin(result.recipients(), ", "));
  if (!result.date().empty()) absl::StrAppend(&origin, origin.empty() ? "" : ", ", result.date());
  return OneLine(origin);
}

void Print(const SearchResult& result, const Terminal& out) {
  const std::string subject = OneLine(result.subject().empty() ? result.id() : result.subject());
  const std::string excerpt = Shortened(OneLine(result.content()), kExcerptColumns);
  std::cout << out.Bold(Wrapped(subject, out.width(), "  ")) << "\n";
  if (const std::string origin = Origin(result); !origin.empty()) {
    std::cout << out.Dim(Wrapped("  " + origin, out.width(), "  ")) << "\n";
  }
  if (!excerpt.empty()) std::cout << Wrapped("  " + excerpt, out.width(), "  ") << "\n";
}

void Print(const SearchResponse& response) {
  if (response.results().empty()) PrintNote("Nothing found.");
  const Terminal out = Terminal::Out();
  bool first = true;
  for (const SearchResult& result : response.results()) {
    std::cout << (first ? "" : "\n");
    Print(result, out);
    first = false;
  }
}

class Search : public Command {
 public:
  void AddFlags(Flags& flags) override {
    flags.AddText("from", "YYYY-MM-DD", "only from this day on", request_.mutable_date_from());
    flags.AddText("to", "YYYY-MM-DD", "only up to and including this day", request_.mutable_date_to());
    flags.AddNumber("max-results", "N", "the most results; without this flag, iGPT decides", &max_results_);
    flags.AddText("people", "PEOPLE", "only what involves these people", request_.mutable_filter_people());
  }

  absl::Status TakeArguments(const std::vector<std::string>& arguments) override {
    request_.set_query(absl::StrJoin(arguments, " "));
    return absl::OkStatus();
  }

  grpc::Status Run(const Session& session) override {
    request_.set_user(session.flags.user);
    request_.set_max_results(max_results_);

    Call call(session);
    const std::unique_ptr<RecallService::Stub> recall = RecallService::NewStub(session.channel);
    SearchResponse response;
    const grpc::Status status = recall->Search(call.context(), request_, &response);
    if (!status.ok()) return status;
    if (session.flags.json_output()) {
      PrintJson(response);
    } else {
      Print(response);
    }
    return status;
  }

 private:
  SearchRequest request_;
  int32_t max_results_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeSearch() {
  return std::make_unique<Search>();
}
