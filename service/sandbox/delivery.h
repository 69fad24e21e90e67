// Writes answers to the wire, whole or as a stream, with the faults that were asked for.
#pragma once

#include <httplib.h>

#include "service/sandbox/api.h"
#include "service/sandbox/faults.h"
#include "service/sandbox/stopping.h"

namespace igptd::sandbox {

// True when the faults leave no room for an answer of the API (status, html, empty, error): `response` is then the
// fault.
bool DeliverFault(const Faults& faults, httplib::Response& response);

// `stopping` must outlive the response; once it is notified nothing waits any more.
void Deliver(const Reply& reply, const Faults& faults, const Stopping& stopping, httplib::Response& response);

// As server-sent events, each one written when its time has come. Ends at once when the client goes away.
void DeliverStream(Run run, const Faults& faults, const Stopping& stopping, httplib::Response& response);

}  // namespace igptd::sandbox
