// Every check that a call must pass before it reaches its handler, in one list. rpc::Call runs the list, so no handler
// can skip a step.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "service/access/audit.h"
#include "service/access/caller_auth.h"
#include "service/access/user_hash.h"
#include "service/contract/call_status.h"
#include "service/limits/admission.h"
#include "service/rpc/call.h"

namespace igptd {

// The metadata in which callers send their own iGPT key.
inline constexpr std::string_view kCallerKey = "x-igpt-api-key";

// Who may use a service.
enum class Audience {
  kCallers,   // igptd's own services: callers in the callers file, for the methods and users that it allows, within
              // their limits
  kKnown,     // channelz: any caller in the callers file
  kEveryone,  // health and reflection: everyone who can connect or, if the callers file says so, the same as kKnown
};

// What the checks need from the server. Must outlive the entries.
struct EntryRules {
  Admission& admission;              // for calls to igptd's own services
  Admission& late_requests;          // for requests that are long on their way
  std::function<Strains()> strains;  // how short memory and file descriptors are now; thread-safe
  const UserHash& user_hash;
  std::string default_user;  // the user for requests that name none; empty: none
  std::unique_ptr<Audit> audit = std::make_unique<Audit>();
};

// One per loop, used on its thread.
class Entry {
 public:
  explicit Entry(const EntryRules& rules) : rules_(rules) {}

  // Applies to new calls; running calls keep the rules that they began with. Null: anyone who can connect may call.
  void Use(std::shared_ptr<const CallerAuth> auth) { auth_ = std::move(auth); }

  // For rpc::CallEnvironment: nullopt lets the call go on; otherwise it ends with this status. Refusing a caller also
  // logs a line `denied`. The first decides by the headers alone, and gives the call its place in `room`; the second
  // when its request is late, and the third, for calls that entered as kCallers, once it was parsed.
  std::optional<CallStatus> Enter(rpc::Call& call, Audience audience, Admission& room) const;
  std::optional<CallStatus> AwaitRequest(rpc::Call& call) const;
  std::optional<CallStatus> CheckRequest(rpc::Call& call) const;

 private:
  struct Pass;
  // nullopt: passed.
  using Step = std::optional<CallStatus> (Entry::*)(rpc::Call& call, Pass& pass) const;

  std::optional<CallStatus> CheckNotCancelled(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> CheckMetadata(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> CheckOpen(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> Identify(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> CheckMethod(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> CheckKey(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> TakeRoom(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> TakeStandardRoom(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> Admit(const rpc::Call& call, Pass& pass, const CallerLimits& limits, Admission& room,
                                  Admission::Permit& permit, Refusal refusal) const;
  // How a call ends that its caller may not make.
  CallStatus Deny(const rpc::Call& call, Refusal refusal) const;

  friend std::string KeyOf(const rpc::Call& call);
  friend KeyOwner KeyOwnerOf(const rpc::Call& call);

  const EntryRules& rules_;
  std::shared_ptr<const CallerAuth> auth_;
};

// For calls that entered as kCallers: the caller's own iGPT key; empty: use igptd's.
std::string KeyOf(const rpc::Call& call);
KeyOwner KeyOwnerOf(const rpc::Call& call);

}  // namespace igptd
