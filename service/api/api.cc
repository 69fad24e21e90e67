#include "service/api/api.h"

#include <tuple>
#include <type_traits>
#include <utility>

#include "service/api/stream_handler.h"
#include "service/api/unary_handler.h"
#include "service/contract/method_table.h"
#include "service/rpc/stream_call.h"
#include "service/rpc/unary_call.h"

namespace igptd {
namespace {

template <typename Row>
using CallOf = std::conditional_t<Row::kStreams, rpc::StreamCall<typename Row::Request, typename Row::Response>,
                                  rpc::UnaryCall<typename Row::Request, typename Row::Response>>;

template <typename Rows>
struct MethodsOf;
template <typename... Rows>
struct MethodsOf<const std::tuple<Rows...>> {
  using type = std::tuple<rpc::Method<CallOf<Rows>>...>;
};
using Methods = MethodsOf<decltype(kMethods)>::type;

}  // namespace

struct ApiServices::Impl {
  std::tuple<rpc::AsyncService<igpt::v1::RecallService>, rpc::AsyncService<igpt::v1::ConnectorsService>,
             rpc::AsyncService<igpt::v1::DatasourcesService>>
      services;
};

ApiServices::ApiServices() : impl_(std::make_unique<Impl>()) {}
ApiServices::~ApiServices() = default;

void ApiServices::Register(grpc::ServerBuilder& builder) {
  std::apply([&](auto&... service) { (builder.RegisterService(&service), ...); }, impl_->services);
}

struct Api::Impl {
  Impl(ApiServices& services, const HandlerContext& handler_context, const rpc::MethodPlace& place)
      : context(handler_context),
        methods(
            std::apply([&](const auto&... row) { return Methods(MakeMethod(row, services, place)...); }, kMethods)) {}

  template <typename Row>
  rpc::Method<CallOf<Row>> MakeMethod(const Row& row, ApiServices& services, const rpc::MethodPlace& place) {
    auto& service = std::get<rpc::AsyncService<typename Row::Service>>(services.impl_->services);
    return {row.facts.name, place, service.template Asker<CallOf<Row>>(row.facts.name),
            [this, &row](CallOf<Row>& call) { Handle(row, context, call); }};
  }

  const HandlerContext context;
  const Methods methods;
};

Api::Api(ApiServices& services, const HandlerContext& context, const rpc::MethodPlace& place)
    : impl_(std::make_unique<Impl>(services, context, place)) {}
Api::~Api() = default;

void Api::Accept() {
  const auto accept = []<typename CallType>(const rpc::Method<CallType>& method) { CallType::AcceptNext(method); };
  std::apply([&](const auto&... method) { (accept(method), ...); }, impl_->methods);
}

}  // namespace igptd
