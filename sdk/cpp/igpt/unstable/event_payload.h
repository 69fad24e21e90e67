// UNSTABLE: may change in every version. For programs that have to handle every payload, and want a compile error when
// there is one more, such as a translator into another format.
#pragma once

#include "igpt/types.h"

namespace igpt::unstable {

struct EventPayloads {
  using Variant = EventPayload::Value;  // std::monostate: nothing that this library knows

  static Variant& Of(EventPayload& payload) { return payload.value_; }
  static const Variant& Of(const EventPayload& payload) { return payload.value_; }
};

}  // namespace igpt::unstable
