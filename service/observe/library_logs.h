// The log lines of the libraries that igptd is made of go where igptd's own go.
#pragma once

namespace igptd {

// Once, before the libraries are used.
void TakeLibraryLogs();

}  // namespace igptd
