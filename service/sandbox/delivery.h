// Answers as HTTP responses, whole or as a stream, with the faults that were asked for.
#pragma once

#include <optional>

#include "service/http/http_message.h"
#include "service/sandbox/api.h"
#include "service/sandbox/faults.h"
#include "service/sandbox/stopping.h"

namespace igptd::sandbox {

// The fault itself, when the faults leave no room for an answer of the API (status, html, empty, error).
std::optional<HttpResponse> FaultResponse(const Faults& faults);

// `stopping` must outlive the response; once it is notified nothing waits any more.
HttpResponse WholeResponse(const Reply& reply, const Faults& faults, const Stopping& stopping);

// As server-sent events, each one written when its time has come. Ends at once when the client goes away.
HttpResponse StreamResponse(Run run, const Faults& faults, const Stopping& stopping);

}  // namespace igptd::sandbox
