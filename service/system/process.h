// What the process asks of the kernel for itself, once at its start.
#pragma once

namespace igptd {

// Keeps secrets in the process, until AllowCoreDumps: a core dump would hold the keys and all that is being asked and
// answered. libcurl would write the secrets of its TLS connections, and so the key, to the file that SSLKEYLOGFILE
// names, and gRPC what it receives to the log at GRPC_TRACE's word: these variables are removed.
void KeepSecrets();

// Whether a crash may write the memory to a core dump.
void AllowCoreDumps(bool allowed);

// Lets the process have as many file descriptors as it may.
void RaiseDescriptorLimit();

}  // namespace igptd
