// The way in: every check that a call has to pass before its handler sees it, in one list. rpc::Call runs it; a handler
// can neither forget a step nor be reached past one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "service/access/caller_auth.h"
#include "service/access/user_hash.h"
#include "service/contract/call_status.h"
#include "service/limits/admission.h"
#include "service/rpc/call.h"

namespace igptd {

// The metadata that holds the iGPT key of callers that bring one.
inline constexpr std::string_view kCallerKey = "x-igpt-api-key";

// Whom a service is for.
enum class Audience {
  kCallers,   // igptd's own services: callers in the callers file, for the methods and users that it allows, within
              // limits
  kKnown,     // channelz: any caller in the callers file
  kEveryone,  // health and reflection: everyone who can connect, unless the callers file closes them: then as kKnown
};

// What the steps need of the server. Outlives the entries.
struct EntryRules {
  Admission& admission;
  std::function<Strains()> strains;  // how short memory and file descriptors are now; from any thread
  const UserHash& user_hash;
  std::string default_user;  // whom requests mean that name no user; empty: nobody
};

// One per loop, used on its thread.
class Entry {
 public:
  explicit Entry(const EntryRules& rules) : rules_(rules) {}

  // For calls from now on; those that run go on as they began. Null: whoever can connect may call.
  void Use(std::shared_ptr<const CallerAuth> auth) { auth_ = std::move(auth); }

  // For rpc::CallEnvironment::enter: lets a call in, or says how it ends. A refusal of the caller leaves a line
  // `denied` in the log.
  std::optional<CallStatus> Enter(rpc::Call& call, Audience audience) const;

 private:
  struct Pass;
  // nullopt: on to the next step.
  using Step = std::optional<CallStatus> (Entry::*)(rpc::Call& call, Pass& pass) const;

  std::optional<CallStatus> CheckNotCancelled(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> CheckMetadata(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> CheckOpen(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> Identify(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> CheckMethod(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> CheckKey(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> TakeRoom(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> Parse(rpc::Call& call, Pass& pass) const;
  std::optional<CallStatus> CheckUser(rpc::Call& call, Pass& pass) const;

  friend std::string KeyOf(const rpc::Call& call);
  friend KeyOwner KeyOwnerOf(const rpc::Call& call);

  const EntryRules& rules_;
  std::shared_ptr<const CallerAuth> auth_;
};

// For calls that came in as kCallers: the iGPT key that the caller brought; empty: igptd's own is to be used.
std::string KeyOf(const rpc::Call& call);
KeyOwner KeyOwnerOf(const rpc::Call& call);

}  // namespace igptd
