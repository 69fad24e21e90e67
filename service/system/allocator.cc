#include "service/system/allocator.h"

#include <array>
#include <cstddef>

#if __has_include(<mimalloc.h>)
#include <mimalloc.h>
// Weak, because only igptd itself is linked with mimalloc.
#pragma weak mi_option_set
#pragma weak mi_option_get
#pragma weak mi_collect
#endif

namespace igptd {

#if __has_include(<mimalloc.h>)

namespace {

#if MI_MALLOC_VERSION < 210
constexpr std::array kDelays = {mi_option_decommit_delay, mi_option_segment_decommit_delay};
#else
constexpr std::array kDelays = {mi_option_purge_delay};
#endif

}  // namespace

void ReturnFreedMemory(bool at_once) {
  if (&mi_option_set == nullptr || &mi_option_get == nullptr) return;
  // The initial values: mimalloc's defaults, or those of environment variables.
  static const auto kUsual = [] {
    std::array<long, kDelays.size()> usual = {};  // NOLINT(google-runtime-int): mimalloc's type
    for (size_t i = 0; i < usual.size(); ++i) usual[i] = mi_option_get(kDelays[i]);
    return usual;
  }();
  for (size_t i = 0; i < kUsual.size(); ++i) mi_option_set(kDelays[i], at_once ? 0 : kUsual[i]);
}

void ReturnKeptMemory() {
  if (&mi_collect != nullptr) mi_collect(/*force=*/true);
}

#else

void ReturnFreedMemory(bool /*at_once*/) {}
void ReturnKeptMemory() {}

#endif

}  // namespace igptd
