#include "service/access/identity.h"

#include <grpc/grpc_security_constants.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "grpcpp/security/auth_context.h"
#include "service/rpc/metadata.h"

namespace igptd {
namespace {

// The names in the client's certificate, written as in Caller::sans; empty without a certificate.
std::vector<std::string> SansOf(const grpc::ServerContext& context) {
  std::vector<std::string> sans;
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return sans;
  for (const grpc::string_ref& name : auth->FindPropertyValues(GRPC_PEER_DNS_PROPERTY_NAME)) {
    sans.push_back(absl::StrCat("DNS:", absl::AsciiStrToLower(absl::string_view(name.data(), name.size()))));
  }
  for (const grpc::string_ref& name : auth->FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME)) {
    sans.push_back(absl::StrCat("URI:", absl::string_view(name.data(), name.size())));
  }
  return sans;
}

}  // namespace

Credential FindCaller(const CallerAuth& auth, const grpc::ServerContext& context, absl::Time now) {
  const std::vector<std::string_view> authorization = rpc::ValuesOf(context, "authorization");
  if (authorization.empty()) return {.caller = auth.BySans(SansOf(context))};
  return authorization.size() == 1 ? auth.ByAuthorization(authorization.front(), now) : Credential();
}

}  // namespace igptd
