// A stand-in for a user in logs: the same user gives the same one, and nobody without the key finds the user from it.
#pragma once

#include <string>
#include <string_view>

namespace igptd {

class UserHash {
 public:
  // The key is derived from `secret` (the iGPT key), so that all replicas, which share it, agree. Without one, it is
  // random: the hashes then hold for this process.
  explicit UserHash(std::string_view secret);

  // 16 hexadecimal digits; empty for an empty user.
  std::string operator()(std::string_view user) const;

 private:
  std::string key_;
};

}  // namespace igptd
