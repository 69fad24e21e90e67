#include "service/access/caller_auth.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace igptd {

CallerAuth::CallerAuth(const Callers& callers) : open_standard_services_(callers.open_standard_services) {
  for (const Caller& each : callers.callers) {
    const auto caller = std::make_shared<const Caller>(each);
    for (const Token& token : caller->tokens) by_token_[token.hash] = {caller, token.not_after};
    for (const std::string& san : caller->sans) by_san_[san] = caller;
  }
}

// Part of a SHA-256 is a good hash. The place in the table reveals nothing about a token, because nobody can choose
// tokens by their digests.
size_t CallerAuth::HashOf::operator()(const TokenHash& hash) const {
  size_t part;
  std::memcpy(&part, hash.data(), sizeof(part));
  return part;
}

bool CallerAuth::SameInConstantTime::operator()(const TokenHash& a, const TokenHash& b) const {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Credential CallerAuth::ByAuthorization(std::string_view authorization, absl::Time now) const {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view scheme = authorization.substr(0, kScheme.size());
  if (!absl::EqualsIgnoreCase({scheme.data(), scheme.size()}, {kScheme.data(), kScheme.size()})) return {};
  const std::string_view token = authorization.substr(kScheme.size());
  // What is empty or blank is no token, whatever the callers file holds.
  if (token.empty() || !std::all_of(token.begin(), token.end(), absl::ascii_isgraph)) return {};
  const auto found = by_token_.find(HashToken(token));
  if (found == by_token_.end()) return {};
  return {.caller = found->second.caller, .left = found->second.not_after - now};
}

std::shared_ptr<const Caller> CallerAuth::BySans(const std::vector<std::string>& sans) const {
  std::shared_ptr<const Caller> caller;
  for (const std::string& san : sans) {
    const auto found = by_san_.find(san);
    if (found == by_san_.end()) continue;
    if (caller != nullptr && caller != found->second) return nullptr;
    caller = found->second;
  }
  return caller;
}

bool MayCall(const Caller& caller, std::string_view method) {
  const std::string_view service = method.substr(0, method.find('/') + 1);
  return caller.methods.empty() ||
         std::any_of(caller.methods.begin(), caller.methods.end(), [&](std::string_view allowed) {
           return allowed == method || (allowed.ends_with('*') && allowed.substr(0, allowed.size() - 1) == service);
         });
}

bool MayActFor(const Caller& caller, std::string_view user) {
  return caller.any_user || (caller.own_name && user == caller.limits.name) ||
         std::find(caller.users.begin(), caller.users.end(), user) != caller.users.end() ||
         std::any_of(caller.user_prefixes.begin(), caller.user_prefixes.end(),
                     [user](std::string_view prefix) { return user.starts_with(prefix); });
}

}  // namespace igptd
