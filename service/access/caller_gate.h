// Where calls are held against the callers file, before they begin. What it refuses leaves a line in the log.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "service/access/caller_auth.h"
#include "service/errors/errors.h"
#include "service/rpc/call.h"

namespace igptd {

// The metadata that holds the iGPT key of callers that bring one.
inline constexpr std::string_view kCallerKey = "x-igpt-api-key";

// One per loop, used on its thread.
class CallerGate {
 public:
  // For calls from now on; those that run go on as they began. Null: whoever can connect may call.
  void Use(std::shared_ptr<const CallerAuth> auth) { auth_ = std::move(auth); }

  // Finds out who calls and whether it may; nullopt: it may, and call.caller() is known, if anybody is asked for. A
  // token that is sent decides, whatever certificate there is.
  std::optional<CallStatus> Admit(rpc::ServerCall& call) const;

  // The same for what every known caller may use.
  std::optional<CallStatus> AdmitKnown(rpc::ServerCall& call) const;

  // The same for health and reflection, which the file may leave open to everyone.
  std::optional<CallStatus> AdmitStandard(rpc::ServerCall& call) const;

 private:
  std::shared_ptr<const CallerAuth> auth_;
};

// Whether the caller may act for `user`, once that is known; nullopt: it may. The record has the user's hash.
std::optional<CallStatus> AdmitUser(rpc::ServerCall& call, std::string_view user);

// The iGPT key that the caller brought; empty: igptd's own is to be used.
std::string KeyOf(const rpc::ServerCall& call);
KeyOwner KeyOwnerOf(const rpc::ServerCall& call);

}  // namespace igptd
