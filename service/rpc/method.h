// The methods of a loop, and how their calls are handled.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "service/rpc/call.h"
#include "service/rpc/incoming_call.h"

namespace igptd::rpc {

// An RPC on one loop. `environment` must outlive it, and it must outlive its calls. Immutable, so thread-safe.
template <typename CallType>
struct Method {
  std::string_view name;  // "igpt.v1.RecallService/Ask"
  const CallEnvironment& environment;
  // Handles a call that was let in, and makes sure that Finish is called exactly once.
  std::function<void(CallType&)> handle;
  CallObserver* observer = environment.observer_of ? environment.observer_of(name, CallType::kStreams) : nullptr;
};

// All of them, by name. One per loop, used on its thread.
class Methods {
 public:
  // `method` must outlive this.
  template <typename CallType>
  void Add(const Method<CallType>& method) {
    serve_[std::string(method.name)] = Serve(method);
  }
  // For calls of all other methods.
  template <typename CallType>
  void AddUnknown(const Method<CallType>& method) {
    serve_unknown_ = Serve(method);
  }

  // Makes it a Call, which deletes itself when it is over.
  void operator()(std::unique_ptr<IncomingCall> call) const {
    std::string_view name = call->context().method();  // "/igpt.v1.RecallService/Ask"
    if (name.starts_with('/')) name.remove_prefix(1);
    const auto found = serve_.find(absl::string_view(name.data(), name.size()));
    (found == serve_.end() ? serve_unknown_ : found->second)(std::move(call));
  }

 private:
  using ServeCall = std::function<void(std::unique_ptr<IncomingCall>)>;

  template <typename CallType>
  static ServeCall Serve(const Method<CallType>& method) {
    return [&method](std::unique_ptr<IncomingCall> call) { (new CallType(method, std::move(call)))->Start(); };
  }

  absl::flat_hash_map<std::string, ServeCall> serve_;
  ServeCall serve_unknown_;
};

}  // namespace igptd::rpc
