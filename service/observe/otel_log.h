// opentelemetry-cpp's own log.
#pragma once

namespace igptd {

// Sends it to igptd's log: of what goes wrong a line a minute at most, because a collector that is gone would fill the
// log. Call it before the library is used.
void TakeOtelLog();

// Nothing that the library still does is logged any more.
void EndOtelLog();

// Whether the library logged an error since this was asked last.
bool TakeOtelError();

}  // namespace igptd
