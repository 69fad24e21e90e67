#include "service/edge/tls_credentials.h"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "service/system/library_versions.h"

#if IGPTD_GRPC_RELOADS_CERTIFICATES
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"
#else
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <mutex>
#endif

namespace igptd {
namespace {

constexpr grpc_ssl_client_certificate_request_type RequestType(bool callers_need_certificates) {
  return callers_need_certificates ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                   : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
}

}  // namespace

#if IGPTD_GRPC_RELOADS_CERTIFICATES

class TlsIdentity::Certificates {
 public:
  explicit Certificates(TlsMaterial material)
      : callers_need_certificates_(material.client_ca.has_value()),
        provider_(std::make_shared<grpc::experimental::InMemoryCertificateProvider>()) {
    Use(std::move(material));
  }

  // Fails only for texts that are not PEM.
  void Use(TlsMaterial material) {
    using Pair = grpc::experimental::IdentityKeyOrSignerCertPair;
    const bool used =
        (!callers_need_certificates_ || provider_->UpdateRoot(*material.client_ca).ok()) &&
        provider_
            ->UpdateIdentityKeyCertPair(std::vector<Pair>{{std::move(material.key), std::move(material.certificates)}})
            .ok();
    if (!used) std::abort();
  }

  std::shared_ptr<grpc::ServerCredentials> MakeCredentials() {
    auto options = grpc::experimental::TlsServerCredentialsOptions::Create(provider_);
    if (!options.ok()) std::abort();  // only without a provider
    if (callers_need_certificates_) options->set_root_certificate_provider(provider_);
    options->set_cert_request_type(RequestType(callers_need_certificates_));
    return grpc::experimental::TlsServerCredentials(*options);
  }

 private:
  const bool callers_need_certificates_;
  const std::shared_ptr<grpc::experimental::InMemoryCertificateProvider> provider_;
};

#else

// By gRPC's C interface: the C++ one has nothing that could be given other certificates.
class TlsIdentity::Certificates {
 public:
  explicit Certificates(TlsMaterial material)
      : callers_need_certificates_(material.client_ca.has_value()), material_(std::move(material)) {}

  void Use(TlsMaterial material) {
    const std::lock_guard lock(mutex_);
    material_ = std::move(material);
    taken_ = false;
  }

  std::shared_ptr<grpc::ServerCredentials> MakeCredentials() { return std::make_shared<Credentials>(*this); }

 private:
  class Credentials final : public grpc::ServerCredentials {
   public:
    explicit Credentials(Certificates& certificates)
        : credentials_(grpc_ssl_server_credentials_create_with_options(
              grpc_ssl_server_credentials_create_options_using_config_fetcher(
                  RequestType(certificates.callers_need_certificates_), &Certificates::Fetch, &certificates))) {}
    ~Credentials() override { grpc_server_credentials_release(credentials_); }

    void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

   private:
    int AddPortToServer(const std::string& address, grpc_server* server) override {
      return grpc_server_add_http2_port(server, address.c_str(), credentials_);
    }

    grpc_server_credentials* const credentials_;
  };

  // gRPC calls this before every handshake, one at a time.
  static grpc_ssl_certificate_config_reload_status Fetch(void* certificates,
                                                         grpc_ssl_server_certificate_config** config) {
    auto& self = *static_cast<Certificates*>(certificates);
    const std::lock_guard lock(self.mutex_);
    if (std::exchange(self.taken_, true)) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const TlsMaterial& material = self.material_;
    const grpc_ssl_pem_key_cert_pair pair = {material.key.c_str(), material.certificates.c_str()};
    // gRPC 1.51 aborts the process if there are no authorities, even if callers need no certificate. In that case any
    // will do.
    const std::string& client_ca = material.client_ca ? *material.client_ca : material.certificates;
    *config = grpc_ssl_server_certificate_config_create(client_ca.c_str(), &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const bool callers_need_certificates_;
  std::mutex mutex_;
  TlsMaterial material_;  // guarded by mutex_
  bool taken_ = false;    // whether gRPC has the current material; guarded by mutex_
};

#endif

TlsIdentity::TlsIdentity(TlsMaterial material) : certificates_(std::make_unique<Certificates>(std::move(material))) {}

TlsIdentity::~TlsIdentity() = default;

void TlsIdentity::Use(TlsMaterial material) {
  certificates_->Use(std::move(material));
}

std::shared_ptr<grpc::ServerCredentials> TlsIdentity::MakeCredentials() {
  return certificates_->MakeCredentials();
}

}  // namespace igptd
