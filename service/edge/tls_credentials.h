// TLS for gRPC's server, with certificates that can be replaced while it serves.
//
// gRPC's own way to do that (FileWatcherCertificateProvider) takes whatever it finds in the files. Here the caller
// decides what is good, and gRPC asks for it at every handshake.
#pragma once

#include <memory>

#include "absl/synchronization/mutex.h"
#include "grpcpp/security/server_credentials.h"
#include "service/edge/tls.h"

namespace igptd {

// Thread-safe. Whether callers need certificates doesn't change after the start.
class TlsIdentity {
 public:
  // `material` as in Use.
  explicit TlsIdentity(TlsMaterial material);
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  // For handshakes from now on; connections that are there stay as they are. It has to be valid.
  void Use(TlsMaterial material);

  // For one server, which must not outlive this.
  std::shared_ptr<grpc::ServerCredentials> MakeCredentials();

 private:
  class Credentials;

  absl::Mutex mutex_;
  TlsMaterial material_ ABSL_GUARDED_BY(mutex_);
  bool taken_ ABSL_GUARDED_BY(mutex_) = false;  // by gRPC
  const bool callers_need_certificates_;
};

}  // namespace igptd
