#include "igpt/internal/policy/visible.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace igpt::internal {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode 14: the categories Cc, Cf, Zl, Zp and Zs without U+0020, the property Default_Ignorable_Code_Point, and two
// symbols that are blank, U+2800 and U+1D159. In order. Noncharacters are told by their bits.
constexpr Range kInvisible[] = {
    {0x0, 0x1F},        {0x7F, 0xA0},       {0xAD, 0xAD},       {0x34F, 0x34F},     {0x600, 0x605},
    {0x61C, 0x61C},     {0x6DD, 0x6DD},     {0x70F, 0x70F},     {0x890, 0x891},     {0x8E2, 0x8E2},
    {0x115F, 0x1160},   {0x1680, 0x1680},   {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x2000, 0x200F},
    {0x2028, 0x202F},   {0x205F, 0x206F},   {0x2800, 0x2800},   {0x3000, 0x3000},   {0x3164, 0x3164},
    {0xFDD0, 0xFDEF},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},
    {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D159, 0x1D159},
    {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

bool IsInvisible(char32_t c) {
  constexpr char32_t kNoncharacter = 0xFFFE;  // as are the same bits of each plane
  if ((c & kNoncharacter) == kNoncharacter) return true;
  const auto* const range = std::lower_bound(std::begin(kInvisible), std::end(kInvisible), c,
                                             [](const Range& each, char32_t wanted) { return each.last < wanted; });
  return range != std::end(kInvisible) && range->first <= c;
}

// How many bytes the character takes that begins with this one.
size_t LengthOf(unsigned char first) {
  constexpr unsigned char kTwo = 0xC0;
  constexpr unsigned char kThree = 0xE0;
  constexpr unsigned char kFour = 0xF0;
  if (first < kTwo) return 1;
  if (first < kThree) return 2;
  return first < kFour ? 3 : 4;
}

}  // namespace

bool HoldsInvisible(std::string_view text) {
  constexpr unsigned char kPayload = 0x3F;
  constexpr int kPayloadBits = 6;
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const size_t length = LengthOf(first);
    char32_t c = length == 1 ? first : first & (kPayload >> (length - 1));
    for (const char more : text.substr(1, length - 1)) {
      c = c << kPayloadBits | (static_cast<unsigned char>(more) & kPayload);
    }
    if (IsInvisible(c)) return true;
    text.remove_prefix(std::min(length, text.size()));
  }
  return false;
}

}  // namespace igpt::internal
