// The item of a run's event: what the model reasoned, called, got back or wrote, from JSON.
#pragma once

#include "igpt/internal/json/fields.h"
#include "igpt/types.h"
#include "igpt/unstable/event_payload.h"

namespace igpt::internal {

using RunEventPayload = unstable::EventPayloads::Variant;

// The item says by its `type` what it is. Sets a Reasoning, ToolCall, ToolOutput or OutputItem.
Held ReadRunItem(Input& in, RunEventPayload* out);

}  // namespace igpt::internal
