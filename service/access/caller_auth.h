// Who calls and what a caller may do, according to the callers file. Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "service/access/callers.h"

namespace igptd {

// What a credential is worth.
struct Credential {
  std::shared_ptr<const Caller> caller = nullptr;  // whose it is; null: unknown
  absl::Duration left = absl::InfiniteDuration();  // until it ends; negative: it has ended

  bool expired() const { return left < absl::ZeroDuration(); }
  bool valid() const { return caller != nullptr && !expired(); }
};

// Immutable, so thread-safe.
class CallerAuth {
 public:
  explicit CallerAuth(const Callers& callers);

  // What a value of the metadata `authorization` is worth: unknown if it is not a bearer token, or an unknown one.
  // Takes the same time for all tokens of one length, known or not. `now`: by the wall clock.
  Credential ByAuthorization(std::string_view authorization, absl::Time now) const;

  // The caller that the names in a client certificate identify, written as in Caller::sans; null if they identify none,
  // or several.
  std::shared_ptr<const Caller> BySans(const std::vector<std::string>& sans) const;

  bool open_standard_services() const { return open_standard_services_; }

 private:
  struct HashOf {
    size_t operator()(const TokenHash& hash) const;
  };
  struct SameInConstantTime {
    bool operator()(const TokenHash& a, const TokenHash& b) const;
  };

  struct Holder {
    std::shared_ptr<const Caller> caller;
    absl::Time not_after;
  };

  absl::flat_hash_map<TokenHash, Holder, HashOf, SameInConstantTime> by_token_;
  absl::flat_hash_map<std::string, std::shared_ptr<const Caller>> by_san_;
  bool open_standard_services_;
};

// `method` as in rpc::CallRecord: "igpt.v1.RecallService/Ask".
bool MayCall(const Caller& caller, std::string_view method);
bool MayActFor(const Caller& caller, std::string_view user);

}  // namespace igptd
