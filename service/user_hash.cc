#include "service/user_hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace igptd {
namespace {

std::string HmacSha256(std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), digest, &size);
  return {reinterpret_cast<const char*>(digest), size};
}

}  // namespace

UserHash::UserHash(std::string_view secret) {
  if (secret.empty()) {
    key_.resize(32);
    RAND_bytes(reinterpret_cast<unsigned char*>(key_.data()), static_cast<int>(key_.size()));
  } else {
    key_ = HmacSha256(secret, "igptd user hash");
  }
}

std::string UserHash::operator()(std::string_view user) const {
  if (user.empty()) return "";
  const std::string digest = HmacSha256(key_, user);
  return absl::BytesToHexString(absl::string_view(digest.data(), 8));
}

}  // namespace igptd
