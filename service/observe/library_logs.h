// Sends the libraries' log lines to igptd's log.
#pragma once

namespace igptd {

// Call it once, before the libraries are used.
void TakeLibraryLogs();

}  // namespace igptd
