#include "service/edge/tls_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <string>
#include <utility>

namespace igptd {

class TlsIdentity::Credentials final : public grpc::ServerCredentials {
 public:
  explicit Credentials(TlsIdentity& identity)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                identity.callers_need_certificates_ ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                                    : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
                &Credentials::Fetch, &identity))) {}
  ~Credentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  // gRPC calls this before every handshake, one at a time.
  static grpc_ssl_certificate_config_reload_status Fetch(void* identity, grpc_ssl_server_certificate_config** config) {
    auto& self = *static_cast<TlsIdentity*>(identity);
    const absl::MutexLock lock(&self.mutex_);
    if (std::exchange(self.taken_, true)) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const TlsMaterial& material = self.material_;
    const grpc_ssl_pem_key_cert_pair pair = {material.key.c_str(), material.certificates.c_str()};
    // gRPC 1.51 aborts the process if there are no authorities, even if callers need no certificate. In that case any
    // will do.
    const std::string& client_ca = material.client_ca ? *material.client_ca : material.certificates;
    *config = grpc_ssl_server_certificate_config_create(client_ca.c_str(), &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  grpc_server_credentials* const credentials_;
};

TlsIdentity::TlsIdentity(TlsMaterial material)
    : material_(std::move(material)), callers_need_certificates_(material_.client_ca.has_value()) {}

void TlsIdentity::Use(TlsMaterial material) {
  const absl::MutexLock lock(&mutex_);
  material_ = std::move(material);
  taken_ = false;
}

std::shared_ptr<grpc::ServerCredentials> TlsIdentity::MakeCredentials() {
  return std::make_shared<Credentials>(*this);
}

}  // namespace igptd
