// Process-wide settings, made once at the start.
#pragma once

namespace igptd {

// Keeps secrets in the process. Turns off core dumps, which would contain keys, questions and answers, until
// AllowCoreDumps. Removes two environment variables: SSLKEYLOGFILE, with which libcurl would write the secrets of its
// TLS connections, and so the key, to a file, and GRPC_TRACE, with which gRPC would log what it receives.
void KeepSecrets();

// Sets whether a crash may write a core dump.
void AllowCoreDumps(bool allowed);

// Raises the limit of file descriptors to the maximum that the process may set.
void RaiseDescriptorLimit();

}  // namespace igptd
