#include "client/errors.h"

#include <google/protobuf/util/time_util.h>

#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/remedy.h"
#include "google/rpc/status.pb.h"
#include "json.h"
#include "terminal/printable.h"

namespace {

using google::protobuf::util::TimeUtil;

// gRPC's and Abseil's codes are the same numbers, and Abseil has their names.
std::string CodeName(const grpc::Status& status) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
}

// Sorted by key, because the map has no order.
std::map<std::string, std::string> Facts(const ErrorDetails& details) {
  return {details.info.metadata().begin(), details.info.metadata().end()};
}

void AddLine(std::string& text, std::string_view name, std::string_view value) {
  if (!value.empty()) absl::StrAppend(&text, "\n  ", OneLine(name), ": ", OneLine(value));
}

}  // namespace

ErrorDetails DetailsOf(const grpc::Status& status) {
  // gRPC delivers the details as bytes: a google.rpc.Status, whose details are messages of any type.
  google::rpc::Status packed;
  ErrorDetails details;
  if (!packed.ParseFromString(status.error_details())) return details;
  for (const google::protobuf::Any& detail : packed.details()) {
    google::rpc::RetryInfo retry;
    detail.UnpackTo(&details.info);
    detail.UnpackTo(&details.bad_request);
    if (detail.UnpackTo(&retry)) details.try_again = retry.retry_delay();
  }
  return details;
}

std::string Describe(const grpc::Status& status, const std::string& server) {
  const ErrorDetails details = DetailsOf(status);
  std::string text = CodeName(status);
  // igptd's message about fields only says again what follows.
  const bool fields = details.bad_request.field_violations_size() > 0;
  if (!fields && !status.error_message().empty()) absl::StrAppend(&text, ": ", OneLine(status.error_message()));
  if (!details.info.reason().empty()) {
    AddLine(text, "reason", absl::StrCat(details.info.reason(), " (", details.info.domain(), ")"));
  }
  for (const auto& [name, value] : Facts(details)) AddLine(text, name, value);
  for (const auto& violation : details.bad_request.field_violations()) {
    AddLine(text, violation.field(), violation.description());
  }
  if (details.try_again.has_value()) AddLine(text, "try again in", TimeUtil::ToString(*details.try_again));
  AddLine(text, "what to do", Remedy(status.error_code(), details.info.reason(), server));
  return text;
}

std::string DescribeAsJson(const grpc::Status& status) {
  const ErrorDetails details = DetailsOf(status);
  std::vector<std::string> members;
  const auto add = [&members](const char* name, const std::string& json) {
    members.push_back(absl::StrCat("\"", name, "\":", json));
  };
  add("code", ToJson(CodeName(status)));
  add("message", ToJson(Printable(status.error_message())));
  if (!details.info.reason().empty()) add("reason", ToJson(details.info.reason()));
  if (!details.info.metadata().empty()) {
    const auto member = [](std::string* out, const auto& fact) {
      absl::StrAppend(out, ToJson(fact.first), ":", ToJson(fact.second));
    };
    add("metadata", absl::StrCat("{", absl::StrJoin(Facts(details), ",", member), "}"));
  }
  if (details.bad_request.field_violations_size() > 0) {
    const auto element = [](std::string* out, const auto& violation) { *out += ToJson(violation); };
    add("violations", absl::StrCat("[", absl::StrJoin(details.bad_request.field_violations(), ",", element), "]"));
  }
  if (details.try_again.has_value()) add("retry_after", ToJson(TimeUtil::ToString(*details.try_again)));
  return absl::StrCat("{", absl::StrJoin(members, ","), "}");
}

ExitCode ExitCodeOf(const grpc::Status& status) {
  if (status.ok()) return kExitDone;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return kExitForNow;
  const bool full = status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
  return full && DetailsOf(status).try_again.has_value() ? kExitForNow : kExitFailed;
}
