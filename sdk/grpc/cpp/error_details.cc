#include "error_details.h"

#include <google/protobuf/util/time_util.h>

#include <map>

#include "absl/status/status.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace {

void AddLine(std::string& text, const std::string& name, const std::string& value) {
  text += "\n  " + name + ": " + value;
}

void AddDetail(std::string& text, const google::protobuf::Any& detail) {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  google::rpc::RetryInfo retry;
  if (detail.UnpackTo(&info)) {
    AddLine(text, "reason", info.reason() + " (" + info.domain() + ")");
    // Sorted by key, because the map has no order.
    for (const auto& [key, value] : std::map(info.metadata().begin(), info.metadata().end())) AddLine(text, key, value);
  } else if (detail.UnpackTo(&bad_request)) {
    for (const auto& violation : bad_request.field_violations()) {
      AddLine(text, violation.field(), violation.description());
    }
  } else if (detail.UnpackTo(&retry)) {
    AddLine(text, "try again in", google::protobuf::util::TimeUtil::ToString(retry.retry_delay()));
  }
}

}  // namespace

std::string Describe(const grpc::Status& status) {
  // gRPC's and Abseil's codes are the same numbers, and Abseil has their names.
  std::string text = absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
  if (!status.error_message().empty()) text += ": " + status.error_message();

  // gRPC delivers the details as bytes: a google.rpc.Status, whose details are messages of any type.
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) AddDetail(text, detail);
  }
  return text;
}
