// What gRPC, Protobuf and Abseil log: to igptd's log, or nowhere. Call one of these, once, before the libraries are
// used.
#pragma once

namespace igptd {

void TakeLibraryLogs();

// For programs that say themselves what went wrong.
void DropLibraryLogs();

}  // namespace igptd
