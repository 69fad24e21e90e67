#include "service/contract/call_status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "igpt/error.h"
#include "service/contract/error_table.h"
#include "service/contract/status_details.h"

namespace igptd {
namespace {

namespace v1 = igpt::v1;

// The facts that the row has.
std::map<std::string, std::string> MetadataOf(const igpt::Error& error, const ErrorRow& row) {
  std::map<std::string, std::string> metadata;
  const bool broken_stream = error.kind == igpt::ErrorKind::kTruncated || error.kind == igpt::ErrorKind::kMalformed;
  if (!error.api_code.empty()) metadata["igpt_error"] = error.api_code;
  if (error.call.http_status != 0) metadata["http_status"] = absl::StrCat(error.call.http_status);
  if (!error.timer.empty()) metadata["timer"] = error.timer;
  if (error.events_delivered > 0 || broken_stream) metadata["events_delivered"] = absl::StrCat(error.events_delivered);
  if (error.call.attempts > 0) metadata["attempts"] = absl::StrCat(error.call.attempts);
  std::erase_if(metadata, [&row](const auto& fact) { return row.metadata.find(fact.first) == row.metadata.npos; });
  return metadata;
}

CallStatus Make(const ErrorRow& row, std::string_view message, StatusDetails details,
                std::optional<absl::Duration> retry_after) {
  details.reason = ReasonName(row.reason);
  if (row.retry_info == ErrorRow::RetryInfo::kAlways) retry_after = retry_after.value_or(kDefaultRetryDelay);
  if (row.retry_info != ErrorRow::RetryInfo::kNever) details.retry_delay = retry_after;
  std::optional<absl::Duration> pushback;
  if (row.pushback == ErrorRow::Pushback::kNever) pushback = absl::InfiniteDuration();
  if (row.pushback == ErrorRow::Pushback::kAfterDelay) pushback = details.retry_delay;
  return {MakeStatus(row.code, message, details), row.reason, pushback};
}

}  // namespace

CallStatus ToCallStatus(const absl::Status& status, KeyOwner key_owner) {
  if (status.ok()) return {};
  const std::optional<igpt::Error> error = igpt::ErrorOf(status);
  if (!error.has_value()) {
    return Make(RowOf(igpt::ErrorKind::kProtocol, key_owner, /*event_delivered=*/false),
                "igptd hit an unexpected error. Please report it.", {}, std::nullopt);
  }
  const std::string_view message(status.message().data(), status.message().size());
  const ErrorRow& row = RowOf(error->kind, key_owner, error->events_delivered > 0);
  return Make(row, message,
              {.reason = {}, .metadata = MetadataOf(*error, row), .retry_delay = {}, .violations = error->violations},
              error->retry_after);
}

CallStatus ToCallStatus(Refusal refusal, const RefusalFacts& facts) {
  const ErrorRow& row = RowOf(refusal);
  StatusDetails details;
  if (facts.events_delivered > 0) details.metadata["events_delivered"] = absl::StrCat(facts.events_delivered);
  if (!facts.limit.empty()) details.metadata["limit"] = std::string(facts.limit);
  if (refusal != Refusal::kUnknownMethod) return Make(row, row.message, std::move(details), facts.retry_after);
  const absl::string_view method(facts.method.data(), facts.method.size());
  return Make(row, absl::StrCat("\"", method, "\" ", row.message), std::move(details), facts.retry_after);
}

CallStatus CancelledByCaller() {
  return ToCallStatus(igpt::MakeStatus(igpt::ErrorKind::kAborted, "the caller cancelled"), KeyOwner::kIgptd);
}

CallStatus DeadlinePassed(int64_t events_delivered, int attempts) {
  igpt::Error error;
  error.kind = igpt::ErrorKind::kDeadline;
  error.events_delivered = events_delivered;
  error.call.attempts = attempts;
  return ToCallStatus(igpt::MakeStatus(error, "the caller's deadline passed"), KeyOwner::kIgptd);
}

std::string_view ReasonName(v1::ErrorReason reason) {
  std::string_view name = v1::ErrorReason_Name(reason);  // static
  constexpr std::string_view kPrefix = "ERROR_REASON_";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  return name;
}

}  // namespace igptd
