// Who calls and what a caller may do, according to the callers file. Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "service/access/callers.h"

namespace igptd {

// Immutable, so thread-safe.
class CallerAuth {
 public:
  explicit CallerAuth(const Callers& callers);

  // The caller that a value of the metadata `authorization` identifies; null if it is not a bearer token, or an unknown
  // one. Takes the same time for all tokens of one length, known or not.
  std::shared_ptr<const Caller> ByAuthorization(std::string_view authorization) const;

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

  absl::flat_hash_map<TokenHash, std::shared_ptr<const Caller>, HashOf, SameInConstantTime> by_token_;
  absl::flat_hash_map<std::string, std::shared_ptr<const Caller>> by_san_;
  bool open_standard_services_;
};

// `method` as in rpc::CallRecord: "igpt.v1.RecallService/Ask".
bool MayCall(const Caller& caller, std::string_view method);
bool MayActFor(const Caller& caller, std::string_view user);

}  // namespace igptd
