#include "service/standard/unknown_methods.h"

#include <string_view>

#include "service/contract/call_status.h"

namespace igptd {
namespace {

constexpr int kRequestedAhead = 16;

}  // namespace

// Logs and metrics have one name for all of them, because callers could make up any number.
UnknownMethods::UnknownMethods(grpc::AsyncGenericService& service, const rpc::MethodPlace& place)
    : method_{.name = "unknown",
              .place = place,
              .ask = [&service](auto... args) { service.RequestCall(args...); },
              .handle = Refuse,
              .request_next = [this] { RequestNext(); }} {
  for (int i = 0; i < kRequestedAhead; ++i) RequestNext();
}

void UnknownMethods::Stop() {
  const absl::MutexLock lock(&mutex_);
  stopped_ = true;
}

void UnknownMethods::RequestNext() {
  const absl::MutexLock lock(&mutex_);
  if (!stopped_) Call::AcceptNext(method_);
}

void UnknownMethods::Refuse(Call& call) {
  std::string_view method = call.context().method();
  if (method.starts_with('/')) method.remove_prefix(1);
  call.Finish(ToCallStatus(Refusal::kUnknownMethod, {.method = method}));
}

}  // namespace igptd
