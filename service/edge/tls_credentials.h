// TLS for gRPC's server, with certificates that can be replaced while it serves.
//
// gRPC's own FileWatcherCertificateProvider uses whatever it finds in the files. Here igptd validates the certificates
// first, and a handshake uses those that are current when it begins.
#pragma once

#include <memory>

#include "grpcpp/security/server_credentials.h"
#include "service/edge/tls.h"

namespace igptd {

// Thread-safe. Whether callers need a certificate can't change after construction.
class TlsIdentity {
 public:
  // `material` must be valid.
  explicit TlsIdentity(TlsMaterial material);
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  // Applies to new handshakes; existing connections are kept. `material` must be valid.
  void Use(TlsMaterial material);

  // For one server, which must not outlive this.
  std::shared_ptr<grpc::ServerCredentials> MakeCredentials();

 private:
  class Certificates;
  const std::unique_ptr<Certificates> certificates_;
};

}  // namespace igptd
