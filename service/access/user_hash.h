// The keyed hash that stands for a user in logs. Without the key it cannot be reversed.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace igptd {

// Thread-safe.
class UserHash {
 public:
  // The hash's key is derived from `secret`, so all replicas with that secret agree. If `secret` is empty,
  // the hash's key is random and differs for each process.
  explicit UserHash(std::string_view secret);

  // 16 hexadecimal digits; empty for an empty user.
  std::string operator()(std::string_view user) const;

 private:
  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> keyed_;  // copied for each hash
};

}  // namespace igptd
