// A stand-in for a user in logs: the same user gives the same one, and nobody without the key finds the user from it.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace igptd {

// Thread-safe.
class UserHash {
 public:
  // The key is derived from `secret` (the iGPT key), so that all replicas, which share it, agree. Without one, it is
  // random: the hashes then hold for this process.
  explicit UserHash(std::string_view secret);

  // 16 hexadecimal digits; empty for an empty user.
  std::string operator()(std::string_view user) const;

 private:
  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> keyed_;  // copied for every hash
};

}  // namespace igptd
