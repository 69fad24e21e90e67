#include "service/access/token.h"

#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace igptd {
namespace {

// 128 bits in base64.
constexpr size_t kMinTokenBytes = 22;
constexpr size_t kMaxTokenBytes = 4096;

constexpr absl::Duration kLifetime = absl::Hours(24 * 90);

}  // namespace

TokenHash HashToken(std::string_view token) {
  TokenHash hash;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

absl::StatusOr<std::string> MakeCallerEntry(std::string_view token, absl::Time now) {
  if (token.size() < kMinTokenBytes || token.size() > kMaxTokenBytes ||
      !std::all_of(token.begin(), token.end(), absl::ascii_isgraph)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a token must be one line of ", kMinTokenBytes, " to ", kMaxTokenBytes,
                     " visible ASCII characters without spaces; `openssl rand -hex 32` generates one"));
  }
  const TokenHash hash = HashToken(token);
  const std::string bytes(hash.begin(), hash.end());
  return absl::StrCat(R"({"name": "new-caller", "token_sha256": [{"sha256": ")", absl::BytesToHexString(bytes),
                      R"(", "not_after": ")",
                      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now + kLifetime, absl::UTCTimeZone()),
                      R"("}], "methods": ["igpt.v1.DatasourcesService/List"], "users": {"own_name": true}})");
}

}  // namespace igptd
