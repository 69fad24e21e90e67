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
using AllMethods = MethodsOf<decltype(kMethods)>::type;

}  // namespace

struct Api::Impl {
  Impl(const HandlerContext& handler_context, const rpc::CallEnvironment& environment)
      : context(handler_context),
        methods(std::apply([&](const auto&... row) { return AllMethods(MakeMethod(row, environment)...); }, kMethods)) {
  }

  template <typename Row>
  rpc::Method<CallOf<Row>> MakeMethod(const Row& row, const rpc::CallEnvironment& environment) {
    return {row.facts.name, environment, [this, &row](CallOf<Row>& call) { Handle(row, context, call); }};
  }

  const HandlerContext context;
  const AllMethods methods;
};

Api::Api(const HandlerContext& context, const rpc::CallEnvironment& environment, rpc::Methods& methods)
    : impl_(std::make_unique<Impl>(context, environment)) {
  std::apply([&](const auto&... method) { (methods.Add(method), ...); }, impl_->methods);
}
Api::~Api() = default;

}  // namespace igptd
