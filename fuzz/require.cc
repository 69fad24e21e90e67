#include "fuzz/require.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace igpt_fuzz {
namespace {

void Print(std::string_view label, std::string_view text) {
  const std::string escaped = absl::CHexEscape(absl::string_view(text.data(), text.size()));
  std::fprintf(stderr, "%.*s%s\n", static_cast<int>(label.size()), label.data(), escaped.c_str());
}

}  // namespace

void Require(bool holds, std::string_view what) {
  if (holds) return;
  Print("BROKEN: ", what);
  std::abort();
}

void RequireEqual(std::string_view got, std::string_view wanted, std::string_view what) {
  if (got == wanted) return;
  Print("got:    ", got);
  Print("wanted: ", wanted);
  Require(false, what);
}

bool IsUtf8(std::string_view text) {
  const auto byte_at = [text](size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
  for (size_t i = 0; i < text.size();) {
    const unsigned lead = byte_at(i), second = byte_at(i + 1);
    size_t length = 0;
    if (lead <= 0x7F) length = 1;
    if (lead >= 0xC2 && lead <= 0xDF && second >= 0x80 && second <= 0xBF) length = 2;
    if (lead == 0xE0 && second >= 0xA0 && second <= 0xBF) length = 3;
    if (lead >= 0xE1 && lead <= 0xEF && lead != 0xED && second >= 0x80 && second <= 0xBF) length = 3;
    if (lead == 0xED && second >= 0x80 && second <= 0x9F) length = 3;
    if (lead == 0xF0 && second >= 0x90 && second <= 0xBF) length = 4;
    if (lead >= 0xF1 && lead <= 0xF3 && second >= 0x80 && second <= 0xBF) length = 4;
    if (lead == 0xF4 && second >= 0x80 && second <= 0x8F) length = 4;
    if (length == 0) return false;
    for (size_t tail = 2; tail < length; ++tail) {
      if (byte_at(i + tail) < 0x80 || byte_at(i + tail) > 0xBF) return false;
    }
    i += length;
  }
  return true;
}

bool IsPrintableAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isprint);
}

}  // namespace igpt_fuzz
