#include "service/access/user_hash.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace igptd {
namespace {

constexpr size_t kDigestBytes = 32;

using Digest = std::array<unsigned char, kDigestBytes>;
using Mac = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Mac HmacSha256(std::string_view key) {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  Mac mac(EVP_MAC_CTX_new(hmac), &EVP_MAC_CTX_free);
  EVP_MAC_free(hmac);
  char sha256[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
                               OSSL_PARAM_construct_end()};
  EVP_MAC_init(mac.get(), Bytes(key), key.size(), params);
  return mac;
}

// Hashes a copy of `keyed` and the text.
Digest HashWith(const Mac& keyed, std::string_view text) {
  const Mac mac(EVP_MAC_CTX_dup(keyed.get()), &EVP_MAC_CTX_free);
  Digest digest;
  size_t size = 0;
  EVP_MAC_update(mac.get(), Bytes(text), text.size());
  EVP_MAC_final(mac.get(), digest.data(), &size, digest.size());
  return digest;
}

Digest UserKey(std::string_view secret) {
  if (!secret.empty()) return HashWith(HmacSha256(secret), "igptd user hash");
  Digest random;
  RAND_bytes(random.data(), static_cast<int>(random.size()));
  return random;
}

std::string_view Text(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

UserHash::UserHash(std::string_view secret) : keyed_(HmacSha256(Text(UserKey(secret)))) {}

std::string UserHash::operator()(std::string_view user) const {
  if (user.empty()) return "";
  constexpr size_t kShownBytes = 8;
  return absl::BytesToHexString(absl::string_view(Text(HashWith(keyed_, user)).data(), kShownBytes));
}

}  // namespace igptd
