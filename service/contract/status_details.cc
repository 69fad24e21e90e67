#include "service/contract/status_details.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/util/time_util.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "service/contract/call_status.h"

namespace igptd {
namespace {

// A status holds its message twice, outside and inside the details. The violations get what is left.
constexpr size_t kMaxMessageBytes = 400;
constexpr size_t kMaxMetadataBytes = 100;
constexpr size_t kMaxFieldBytes = 100;
constexpr size_t kMaxDescriptionBytes = 300;
// The size of an Any of a BadRequest without its value: type URL, tags and lengths.
constexpr size_t kAnyBytes = 50;
// The size of a violation "and 123456 more".
constexpr size_t kMoreBytes = 32;

// Truncates UTF-8 to `max` bytes, between two characters, with an ellipsis in place of what is cut.
std::string Cut(std::string_view text, size_t max) {
  if (text.size() <= max) return std::string(text);
  constexpr std::string_view kEllipsis = "…";
  size_t end = max - kEllipsis.size();
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // 10xxxxxx continues a character
  return std::string(text.substr(0, end)).append(kEllipsis);
}

// As many of the violations as fit. If some don't, a last one says how many more there are.
google::rpc::BadRequest MakeBadRequest(const std::vector<igpt::FieldViolation>& violations, size_t max_bytes) {
  google::rpc::BadRequest bad;
  for (size_t i = 0; i < violations.size(); ++i) {
    auto* violation = bad.add_field_violations();
    violation->set_field(Cut(violations[i].field, kMaxFieldBytes));
    violation->set_description(Cut(violations[i].description, kMaxDescriptionBytes));
    const size_t more_after = violations.size() - i - 1;
    if (bad.ByteSizeLong() + (more_after == 0 ? 0 : kMoreBytes) > max_bytes) {
      violation->clear_field();
      violation->set_description(absl::StrCat("and ", more_after + 1, " more"));
      break;
    }
  }
  return bad;
}

void AddDetail(const google::protobuf::Message& detail, google::rpc::Status& status) {
  (void)status.add_details()->PackFrom(detail);  // fails for messages of two gigabytes
}

}  // namespace

grpc::Status MakeStatus(grpc::StatusCode code, std::string_view message, const StatusDetails& details) {
  google::rpc::Status status;
  status.set_code(code);
  status.set_message(Cut(message, kMaxMessageBytes));
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(details.reason));
  info.set_domain("igptd");
  for (const auto& [key, value] : details.metadata) (*info.mutable_metadata())[key] = Cut(value, kMaxMetadataBytes);
  AddDetail(info, status);
  if (details.retry_delay.has_value()) {
    google::rpc::RetryInfo retry;
    *retry.mutable_retry_delay() =
        google::protobuf::util::TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(*details.retry_delay));
    AddDetail(retry, status);
  }
  if (!details.violations.empty()) {
    const size_t used = status.message().size() + status.ByteSizeLong() + kAnyBytes;
    AddDetail(MakeBadRequest(details.violations, kMaxStatusBytes - used), status);
  }
  return {code, status.message(), status.SerializeAsString()};
}

}  // namespace igptd
