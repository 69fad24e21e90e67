#include "igpt/internal/policy/pem.h"

#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "igpt/internal/base/string_view.h"

namespace igpt::internal {
namespace {

struct Block {
  std::string label;       // "CERTIFICATE"
  bool whole = false;      // it has its end, and holds what it says it holds
  bool encrypted = false;  // by its header
};

// Whether there is a whole SEQUENCE of DER at the beginning, as in certificates and keys.
bool IsSequence(std::string_view der) {
  constexpr unsigned char kSequence = 0x30;
  constexpr unsigned char kLong = 0x80;  // the length of the length follows
  constexpr size_t kMaxLong = 4;
  const auto byte = [der](size_t at) { return static_cast<unsigned char>(der[at]); };
  if (der.size() < 2 || byte(0) != kSequence) return false;
  size_t length = byte(1);
  size_t begin = 2;
  if (length >= kLong) {
    begin += length - kLong;
    if (begin == 2 || begin > 2 + kMaxLong || begin > der.size()) return false;
    length = 0;
    for (size_t i = 2; i < begin; ++i) length = length << 8 | byte(i);
  }
  return length <= der.size() - begin;
}

std::vector<Block> BlocksOf(std::string_view pem) {
  std::vector<Block> blocks;
  std::string base64;
  bool open = false;
  for (absl::string_view line : absl::StrSplit(AbslView(pem), '\n')) {
    line = absl::StripTrailingAsciiWhitespace(line);
    absl::string_view label = line;
    if (absl::ConsumePrefix(&label, "-----BEGIN ") && absl::ConsumeSuffix(&label, "-----")) {
      blocks.push_back({.label = std::string(label)});  // one that is still open stays broken
      base64.clear();
      open = true;
    } else if (!open) {
      continue;
    } else if (line == absl::StrCat("-----END ", blocks.back().label, "-----")) {
      std::string der;
      blocks.back().whole = absl::Base64Unescape(base64, &der) && IsSequence(der);
      open = false;
    } else if (absl::StrContains(line, ':')) {
      blocks.back().encrypted |= absl::StrContains(line, "ENCRYPTED");  // Proc-Type: 4,ENCRYPTED
    } else {
      absl::StrAppend(&base64, line);
    }
  }
  return blocks;
}

bool IsCertificate(const Block& block) {
  return block.label == "CERTIFICATE" || block.label == "X509 CERTIFICATE" || block.label == "TRUSTED CERTIFICATE";
}

}  // namespace

std::string CertificatesProblem(std::string_view pem) {
  int count = 0;
  for (const Block& block : BlocksOf(pem)) {
    if (!IsCertificate(block)) continue;
    ++count;
    if (!block.whole) return absl::StrCat("certificate ", count, " is cut off or garbled");
  }
  return count > 0 ? "" : "must hold certificates in PEM (-----BEGIN CERTIFICATE-----)";
}

std::string PrivateKeyProblem(std::string_view pem) {
  for (const Block& block : BlocksOf(pem)) {
    if (!absl::EndsWith(block.label, "PRIVATE KEY")) continue;
    if (block.encrypted || block.label == "ENCRYPTED PRIVATE KEY") {
      return "must not be encrypted: decrypt it, e.g. with openssl pkey";
    }
    return block.whole ? "" : "the key is cut off or garbled";
  }
  return "must hold a private key in PEM (-----BEGIN PRIVATE KEY-----)";
}

}  // namespace igpt::internal
