#include "service/access/caller_gate.h"

#include <grpc/grpc_security_constants.h>

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "grpcpp/security/auth_context.h"
#include "igpt/error.h"
#include "igpt/options.h"
#include "service/limits/admission.h"
#include "service/observe/log.h"

namespace igptd {
namespace {

std::vector<std::string_view> Metadata(const rpc::ServerCall& call, std::string_view name) {
  std::vector<std::string_view> values;
  const auto [begin, end] = call.context().client_metadata().equal_range(grpc::string_ref(name.data(), name.size()));
  for (auto each = begin; each != end; ++each) values.emplace_back(each->second.data(), each->second.size());
  return values;
}

// The names in the client's certificate, as in Caller::sans; none without one.
std::vector<std::string> SansOf(const rpc::ServerCall& call) {
  std::vector<std::string> sans;
  const std::shared_ptr<const grpc::AuthContext> context = call.context().auth_context();
  if (context == nullptr || !context->IsPeerAuthenticated()) return sans;
  for (const grpc::string_ref& name : context->FindPropertyValues(GRPC_PEER_DNS_PROPERTY_NAME)) {
    sans.push_back(absl::StrCat("DNS:", absl::AsciiStrToLower(absl::string_view(name.data(), name.size()))));
  }
  for (const grpc::string_ref& name : context->FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME)) {
    sans.push_back(absl::StrCat("URI:", absl::string_view(name.data(), name.size())));
  }
  return sans;
}

std::shared_ptr<const Caller> Identify(const CallerAuth& auth, const rpc::ServerCall& call) {
  const std::vector<std::string_view> authorization = Metadata(call, "authorization");
  if (authorization.empty()) return auth.BySans(SansOf(call));
  return authorization.size() == 1 ? auth.ByAuthorization(authorization.front()) : nullptr;
}

// A line for an auditor: warnings aren't left out by most levels.
CallStatus Deny(rpc::ServerCall& call, Refusal refusal) {
  CallStatus status = ToCallStatus(refusal);
  const rpc::CallRecord& record = call.record();
  LogLine line(LogLevel::kWarn, "denied");
  line.With("method", record.method).With("reason", ReasonName(status.reason));
  if (!record.caller.empty()) line.With("caller", record.caller);
  if (!record.user_hash.empty()) line.With("user", record.user_hash);
  line.With("peer", HostOf(call.peer())).With("request_id", record.request_id);
  return status;
}

// How a call ends whose caller should have brought a key; nullopt: it did.
std::optional<CallStatus> CheckKey(const rpc::ServerCall& call) {
  const std::vector<std::string_view> keys = Metadata(call, kCallerKey);
  if (keys.size() == 1 && igpt::ValidateApiKey(std::string(keys.front())).ok()) return std::nullopt;
  const absl::Status error = igpt::MakeStatus(
      igpt::ErrorKind::kAuth,
      keys.empty() ? "This caller brings its own iGPT key with every call: send it in the metadata x-igpt-api-key."
                   : "The metadata x-igpt-api-key must be there once, and hold an iGPT key: visible ASCII, no spaces.");
  return ToCallStatus(error, KeyOwner::kCaller);
}

}  // namespace

std::optional<CallStatus> CallerGate::Admit(rpc::ServerCall& call) const {
  if (auth_ == nullptr) return std::nullopt;
  std::shared_ptr<const Caller> caller = Identify(*auth_, call);
  if (caller == nullptr) return Deny(call, Refusal::kCallerUnauthenticated);
  call.record().caller = caller->limits.name;
  call.SetCaller(caller);
  if (!MayCall(*caller, call.record().method)) return Deny(call, Refusal::kMethodNotAllowed);
  return caller->brings_key ? CheckKey(call) : std::nullopt;
}

std::optional<CallStatus> CallerGate::AdmitKnown(rpc::ServerCall& call) const {
  if (auth_ == nullptr || Identify(*auth_, call) != nullptr) return std::nullopt;
  return Deny(call, Refusal::kCallerUnauthenticated);
}

std::optional<CallStatus> CallerGate::AdmitStandard(rpc::ServerCall& call) const {
  return auth_ != nullptr && auth_->open_standard_services() ? std::nullopt : AdmitKnown(call);
}

std::optional<CallStatus> AdmitUser(rpc::ServerCall& call, std::string_view user) {
  // A request without any user is for others to refuse: it is no matter of who calls.
  if (call.caller() == nullptr || user.empty() || MayActFor(*call.caller(), user)) return std::nullopt;
  return Deny(call, Refusal::kUserNotAllowed);
}

std::string KeyOf(const rpc::ServerCall& call) {
  return KeyOwnerOf(call) == KeyOwner::kCaller ? std::string(Metadata(call, kCallerKey).front()) : "";
}

KeyOwner KeyOwnerOf(const rpc::ServerCall& call) {
  return call.caller() != nullptr && call.caller()->brings_key ? KeyOwner::kCaller : KeyOwner::kIgptd;
}

}  // namespace igptd
