#include "service/access/entry.h"

#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "igpt/error.h"
#include "igpt/monotonic_time.h"
#include "igpt/options.h"
#include "service/access/identity.h"
#include "service/edge/caller_connection.h"
#include "service/rpc/metadata.h"

namespace igptd {
namespace {

// Of one that isn't valid.
Refusal RefusalOf(const Credential& credential) {
  return credential.expired() ? Refusal::kCallerTokenExpired : Refusal::kCallerUnauthenticated;
}

// What its connection is known for.
void Offend(const rpc::Call& call) {
  if (call.connection() != nullptr) call.connection()->Offend();
}
void BecomeKnown(const rpc::Call& call) {
  if (call.connection() != nullptr) call.connection()->BecomeKnown();
}

CallerLimits NamedAs(const std::shared_ptr<const Caller>& caller) {
  CallerLimits limits;
  if (caller != nullptr) limits.name = caller->limits.name;
  return limits;
}

// gRPC 1.51 can hand over a message with an illegal flag as an empty one, and a compressed message as it is. That must
// not be taken for a request of the default user.
bool SaysNothing(const google::protobuf::Message& request) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  request.GetReflection()->ListFields(request, &fields);
  return fields.empty();
}

}  // namespace

// What the checks find out. The call keeps it to its end.
struct Entry::Pass final : rpc::Ticket {
  Pass(Audience for_whom, Admission& where, std::string_view peer)
      : audience(for_whom), room(where), network(NetworkOf(HostOf(peer))) {}
  std::string holder() const override { return caller == nullptr ? network : caller->limits.name; }
  void OnRequest() override { late_request = Admission::Permit(); }
  void OnFinishing() override {
    OnRequest();
    permit.Finishing();
  }

  const Audience audience;
  Admission& room;
  const std::string network;
  std::shared_ptr<const Caller> caller;  // null: without a callers file, or unknown
  Admission::Permit permit;
  Admission::Permit late_request;  // until it is whole
};

std::optional<CallStatus> Entry::Enter(rpc::Call& call, Audience audience, Admission& room) const {
  // In this order, so that a call costs nothing before its caller is known, and limits can be those of the caller.
  static constexpr Step kCallerSteps[] = {
      &Entry::CheckNotCancelled, &Entry::CheckMetadata, &Entry::Identify,
      &Entry::CheckMethod,       &Entry::CheckKey,      &Entry::TakeRoom,
  };
  static constexpr Step kStandardSteps[] = {
      &Entry::CheckNotCancelled,
      &Entry::CheckMetadata,
      &Entry::CheckOpen,
      &Entry::TakeStandardRoom,
  };
  auto pass = std::make_unique<Pass>(audience, room, call.peer());
  const auto take = [&](const auto& steps) -> std::optional<CallStatus> {
    for (const Step step : steps) {
      if (std::optional<CallStatus> end = (this->*step)(call, *pass)) return end;
    }
    return std::nullopt;
  };
  std::optional<CallStatus> end = audience == Audience::kCallers ? take(kCallerSteps) : take(kStandardSteps);
  call.Keep(std::move(pass));
  return end;
}

// The call may have been cancelled while it waited for its loop.
std::optional<CallStatus> Entry::CheckNotCancelled(rpc::Call& call, Pass& /*pass*/) const {
  return call.stopping() ? std::optional(CancelledByCaller()) : std::nullopt;
}

std::optional<CallStatus> Entry::CheckMetadata(rpc::Call& call, Pass& /*pass*/) const {
  if (rpc::MetadataBytes(call.context()) <= rpc::kMaxMetadataBytes) return std::nullopt;
  Offend(call);
  return ToCallStatus(Refusal::kMetadataTooLarge);
}

CallStatus Entry::Deny(const rpc::Call& call, Refusal refusal) const {
  CallStatus status = ToCallStatus(refusal);
  rules_.audit->Denied(call.record(), HostOf(call.peer()), status.reason);
  if (status.status.error_code() == grpc::StatusCode::UNAUTHENTICATED) Offend(call);
  return status;
}

// For the standard services.
std::optional<CallStatus> Entry::CheckOpen(rpc::Call& call, Pass& pass) const {
  if (auth_ == nullptr) return std::nullopt;
  const Credential credential = FindCaller(*auth_, call.context(), absl::Now());
  if (credential.valid()) pass.caller = credential.caller;
  const bool open = pass.audience == Audience::kEveryone && auth_->open_standard_services();
  if (credential.valid()) BecomeKnown(call);
  if (open || credential.valid()) return std::nullopt;
  return Deny(call, RefusalOf(credential));
}

std::optional<CallStatus> Entry::Identify(rpc::Call& call, Pass& pass) const {
  if (auth_ == nullptr) return std::nullopt;
  const Credential credential = FindCaller(*auth_, call.context(), absl::Now());
  // Also of an expired token: its line says whose it was.
  if (credential.caller != nullptr) call.record().caller = credential.caller->limits.name;
  if (!credential.valid()) return Deny(call, RefusalOf(credential));
  if (credential.left < Audit::kEndsSoon) rules_.audit->TokenEndsSoon(call.record().caller, credential.left);
  pass.caller = credential.caller;
  BecomeKnown(call);
  return std::nullopt;
}

std::optional<CallStatus> Entry::CheckMethod(rpc::Call& call, Pass& pass) const {
  if (pass.caller == nullptr || MayCall(*pass.caller, call.record().method)) return std::nullopt;
  return Deny(call, Refusal::kMethodNotAllowed);
}

// A caller whose entry says `"key": "caller"` must send its own iGPT key.
std::optional<CallStatus> Entry::CheckKey(rpc::Call& call, Pass& pass) const {
  if (pass.caller == nullptr || !pass.caller->brings_key) return std::nullopt;
  const std::vector<std::string_view> keys = rpc::ValuesOf(call.context(), kCallerKey);
  if (keys.size() == 1 && igpt::ValidateApiKey(std::string(keys.front())).ok()) return std::nullopt;
  const absl::Status error = igpt::MakeStatus(
      igpt::ErrorKind::kAuth,
      keys.empty()
          ? "This caller must send its own iGPT key with every call, in the metadata x-igpt-api-key."
          : "The metadata x-igpt-api-key must appear exactly once and hold one iGPT key: visible ASCII, no spaces.");
  return ToCallStatus(error, KeyOwner::kCaller);
}

std::optional<CallStatus> Entry::TakeRoom(rpc::Call& call, Pass& pass) const {
  static const CallerLimits kUnnamed;
  return Admit(call, pass, pass.caller == nullptr ? kUnnamed : pass.caller->limits, pass.room, pass.permit,
               Refusal::kOverloaded);
}

// The limits in the callers file are for igptd's own services, so of the caller only the name counts here.
std::optional<CallStatus> Entry::TakeStandardRoom(rpc::Call& call, Pass& pass) const {
  return Admit(call, pass, NamedAs(pass.caller), pass.room, pass.permit, Refusal::kTooManyStandardCalls);
}

std::optional<CallStatus> Entry::AwaitRequest(rpc::Call& call) const {
  auto& pass = static_cast<Pass&>(*call.ticket());
  return Admit(call, pass, NamedAs(pass.caller), rules_.late_requests, pass.late_request, Refusal::kTooManyRequests);
}

std::optional<CallStatus> Entry::Admit(const rpc::Call& call, Pass& pass, const CallerLimits& limits, Admission& room,
                                       Admission::Permit& permit, Refusal refusal) const {
  auto [admitted, shed] = room.Admit(limits, pass.network, rules_.strains(), igpt::MonotonicTime::Now());
  permit = std::move(admitted);
  if (!shed.has_value()) return std::nullopt;
  // Only those get there that flood.
  if (shed->limit == Limit::kCallerLateRequests || shed->limit == Limit::kCallerStandardAnswers) Offend(call);
  // gRPC's clients wait exactly as long as they are told, and calls that are shed together must not come back together.
  thread_local absl::InsecureBitGen random;
  const absl::Duration wait = absl::Ceil(shed->retry_after * absl::Uniform(random, 1.0, 2.0), absl::Milliseconds(1));
  return ToCallStatus(refusal, {.retry_after = wait, .limit = LimitName(shed->limit)});
}

// The method table makes sure that every request has a field `user`.
std::optional<CallStatus> Entry::CheckRequest(rpc::Call& call) const {
  const auto& pass = static_cast<const Pass&>(*call.ticket());
  const google::protobuf::Message& request = *call.request_message();
  std::string scratch;
  const std::string& named =
      request.GetReflection()->GetStringReference(request, request.GetDescriptor()->FindFieldByName("user"), &scratch);
  const std::string& user = named.empty() ? rules_.default_user : named;
  if (named.empty() && !user.empty() && SaysNothing(request)) {
    const absl::Status nothing = igpt::InvalidRequest(
        {{"user",
          "must be set in a request without any other field: igptd can't tell an empty message from a damaged "
          "or compressed one, so --default_user does not count for it"}});
    return ToCallStatus(nothing, KeyOwner::kIgptd);
  }
  call.record().user_hash = rules_.user_hash(user);
  // If no user is known, the SDK rejects the request, whoever the caller is.
  if (pass.caller == nullptr || user.empty() || MayActFor(*pass.caller, user)) return std::nullopt;
  return Deny(call, Refusal::kUserNotAllowed);
}

std::string KeyOf(const rpc::Call& call) {
  if (KeyOwnerOf(call) == KeyOwner::kIgptd) return "";
  return std::string(rpc::ValuesOf(call.context(), kCallerKey).front());
}

KeyOwner KeyOwnerOf(const rpc::Call& call) {
  const auto& pass = static_cast<const Entry::Pass&>(*call.ticket());
  return pass.caller != nullptr && pass.caller->brings_key ? KeyOwner::kCaller : KeyOwner::kIgptd;
}

}  // namespace igptd
