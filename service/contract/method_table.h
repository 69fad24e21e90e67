// The table of methods: one row per RPC of igptd's own. From it derive how calls are accepted and handled, the services
// that health and reflection list, the methods that the callers file may allow, and the series of metrics.
//
// To add an RPC, add it to the protos and add a row here. The compiler and the tests then demand the rest (translate.h,
// the documents).
#pragma once

#include <array>
#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "igpt/client.h"
#include "igpt/unstable/on_loop.h"
#include "igpt/v1/connectors.grpc.pb.h"
#include "igpt/v1/datasources.grpc.pb.h"
#include "igpt/v1/recall.grpc.pb.h"
#include "service/contract/error_table.h"

namespace igptd {

// What all rows have in common.
struct MethodFacts {
  std::string_view name;   // "igpt.v1.RecallService/Search"
  std::string_view route;  // iGPT's, as the SDK reports it: "recall/search"
  // The rows' types say these:
  bool streams = false;  // its answer is a stream
  bool by_id = false;    // its request has the id of something that may not exist
};

// Every request has a field `user`: access/entry reads it by this name to check whether the caller may act for the
// user.
template <typename Message>
concept NamesUser = requires(const Message& request) {
  { request.user() } -> std::same_as<const std::string&>;
};
template <typename Message>
concept NamesId = requires(const Message& request) {
  request.id();
};

// An RPC with one answer, and the SDK's function that asks iGPT for it.
template <typename ServiceType, NamesUser RequestMessage, typename ResponseMessage, typename Api, typename SdkRequest,
          typename SdkAnswer>
struct UnaryMethod {
  using Service = ServiceType;
  using Request = RequestMessage;
  using Response = ResponseMessage;
  using Answer = SdkAnswer;
  static constexpr bool kStreams = false;

  MethodFacts facts;
  Api (igpt::Client::*api)() const;
  igpt::PendingCall (Api::*start)(SdkRequest, igpt::CallOptions, igpt::Callback<SdkAnswer>);
};

// An RPC with a stream of events, of which a request can ask for the whole answer as the only one.
template <typename ServiceType, NamesUser RequestMessage, typename ResponseMessage, typename Api, typename SdkRequest>
struct StreamMethod {
  using Service = ServiceType;
  using Request = RequestMessage;
  using Response = ResponseMessage;
  static constexpr bool kStreams = true;

  MethodFacts facts;
  Api (igpt::Client::*api)() const;
  igpt::EventStream (Api::*start)(SdkRequest, igpt::CallOptions);
  igpt::EventStream (*start_whole)(const Api&, SdkRequest, igpt::CallOptions);
};

// These only spare the rows types that the compiler can deduce.
template <typename Service, typename Request, typename Response, typename Api, typename SdkRequest, typename Answer>
constexpr auto Unary(MethodFacts facts, Api (igpt::Client::*api)() const,
                     igpt::PendingCall (Api::*start)(SdkRequest, igpt::CallOptions, igpt::Callback<Answer>)) {
  facts.by_id = NamesId<Request>;
  return UnaryMethod<Service, Request, Response, Api, SdkRequest, Answer>{facts, api, start};
}
template <typename Service, typename Request, typename Response, typename Api, typename SdkRequest>
constexpr auto Stream(MethodFacts facts, Api (igpt::Client::*api)() const,
                      igpt::EventStream (Api::*start)(SdkRequest, igpt::CallOptions),
                      igpt::EventStream (*start_whole)(const Api&, SdkRequest, igpt::CallOptions)) {
  facts.streams = true;
  return StreamMethod<Service, Request, Response, Api, SdkRequest>{facts, api, start, start_whole};
}

// In the order of the protos.
inline constexpr std::tuple kMethods = {
    Stream<igpt::v1::RecallService, igpt::v1::AskRequest, igpt::v1::AskResponse>(
        {"igpt.v1.RecallService/Ask", "recall/ask"}, &igpt::Client::recall, &igpt::Recall::AskStream,
        &igpt::unstable::OnLoop::AskWhole),
    Stream<igpt::v1::RecallService, igpt::v1::RunRequest, igpt::v1::RunResponse>(
        {"igpt.v1.RecallService/Run", "recall/run"}, &igpt::Client::recall, &igpt::Recall::RunStream,
        &igpt::unstable::OnLoop::RunWhole),
    Unary<igpt::v1::RecallService, igpt::v1::SearchRequest, igpt::v1::SearchResponse>(
        {"igpt.v1.RecallService/Search", "recall/search"}, &igpt::Client::recall, &igpt::Recall::Search),
    Unary<igpt::v1::ConnectorsService, igpt::v1::AuthorizeRequest, igpt::v1::AuthorizeResponse>(
        {"igpt.v1.ConnectorsService/Authorize", "connectors/authorize"}, &igpt::Client::connectors,
        &igpt::Connectors::Authorize),
    Unary<igpt::v1::DatasourcesService, igpt::v1::ListRequest, igpt::v1::ListResponse>(
        {"igpt.v1.DatasourcesService/List", "datasources/list"}, &igpt::Client::datasources, &igpt::Datasources::List),
    Unary<igpt::v1::DatasourcesService, igpt::v1::DisconnectRequest, igpt::v1::DisconnectResponse>(
        {"igpt.v1.DatasourcesService/Disconnect", "datasources/disconnect"}, &igpt::Client::datasources,
        &igpt::Datasources::Disconnect),
};

// The facts of all rows.
inline constexpr auto kMethodFacts =
    std::apply([](const auto&... method) { return std::array{method.facts...}; }, kMethods);

// The facts of the method with this name; null if igptd has no such method.
constexpr const MethodFacts* FindMethod(std::string_view name) {
  for (const MethodFacts& method : kMethodFacts) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

// Whether the error of that row is one to expect from that method. Null: the methods that igptd doesn't have.
constexpr bool CanEndWith(const MethodFacts* method, const ErrorRow& error) {
  switch (error.calls) {
    case ErrorRow::Calls::kAll:
      return true;
    case ErrorRow::Calls::kOwn:
      return method != nullptr;
    case ErrorRow::Calls::kStreams:
      return method != nullptr && method->streams;
    case ErrorRow::Calls::kById:
      return method != nullptr && method->by_id;
    case ErrorRow::Calls::kUnknown:
      break;
  }
  return method == nullptr;
}

// "igpt.v1.RecallService" for "igpt.v1.RecallService/Ask".
constexpr std::string_view ServiceOf(std::string_view method) {
  return method.substr(0, method.find('/'));
}

static_assert(std::apply(
                  [](const auto&... method) {
                    return ((ServiceOf(method.facts.name) ==
                             std::decay_t<decltype(method)>::Service::service_full_name()) &&
                            ...);
                  },
                  kMethods),
              "a row's name does not belong to its service");

// The services, each once, in the order of the rows.
inline std::vector<std::string> ServiceNames() {
  std::vector<std::string> services;
  for (const MethodFacts& method : kMethodFacts) {
    const std::string service(ServiceOf(method.name));
    if (services.empty() || services.back() != service) services.push_back(service);
  }
  return services;
}

}  // namespace igptd
