#include "service/api/handlers.h"

#include <memory>
#include <string_view>

namespace igptd {
namespace {

constexpr std::string_view kFaultKey = "x-sandbox-fault";

}  // namespace

std::optional<CallStatus> EndUnlessAllowed(const HandlerContext& context, rpc::ServerCall& call,
                                           const std::string& user) {
  const std::string& meant = user.empty() ? context.default_user : user;
  call.record().user_hash = context.user_hash(meant);
  return AdmitUser(call, meant);
}

igpt::CallOptions OptionsFor(const HandlerContext& context, rpc::ServerCall& call) {
  igpt::CallOptions options;
  options.deadline = call.deadline();
  options.api_key = KeyOf(call);
  options.attempts = std::make_shared<int>(0);
  call.record().attempts = options.attempts;
  options.headers.emplace_back("X-Request-Id", call.record().request_id);
  const rpc::TraceContext& trace = call.record().trace;
  options.headers.emplace_back("traceparent", trace.traceparent);
  if (!trace.tracestate.empty()) options.headers.emplace_back("tracestate", trace.tracestate);
  if (context.forward_faults) {
    const auto& metadata = call.context().client_metadata();
    const auto fault = metadata.find(grpc::string_ref(kFaultKey.data(), kFaultKey.size()));
    if (fault != metadata.end()) {
      options.headers.emplace_back("X-Sandbox-Fault", std::string(fault->second.data(), fault->second.size()));
    }
  }
  return options;
}

}  // namespace igptd
