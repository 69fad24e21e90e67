// An RPC of a service on one loop: how its calls are requested and handled.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"
#include "grpcpp/completion_queue.h"
#include "service/rpc/call.h"

namespace igptd::rpc {

// Where calls come from and live: the same for all methods of a loop. Everything it refers to must outlive the calls.
struct MethodPlace {
  Loop& loop;
  const CallEnvironment& environment;
  grpc::ServerCompletionQueue* incoming;  // the server's
};

// Must outlive its calls. Immutable, so thread-safe.
template <typename CallType>
struct Method {
  std::string_view name;  // "igpt.v1.RecallService/Ask"
  MethodPlace place;
  // Requests a call from gRPC: see AsyncService::Asker.
  CallType::Ask ask;
  // Handles a call that was let in, and makes sure that Finish is called exactly once.
  std::function<void(CallType&)> handle;
  // Requests the next call when one is handled, on its loop. Empty: when one arrives.
  std::function<void()> request_next = {};
  CallObserver* observer =
      place.environment.observer_of ? place.environment.observer_of(name, CallType::kStreams) : nullptr;
};

// A generated gRPC service whose requests arrive as bytes, because they are parsed on the loops. Shared by all loops.
template <typename Service>
class AsyncService final : public Service::AsyncService {
 public:
  // The Method::ask of the method with this name ("igpt.v1.RecallService/Ask").
  template <typename CallType>
  CallType::Ask Asker(std::string_view name) {
    return [this, number = NumberOf(name)](auto... args) {
      if constexpr (CallType::kStreams) {
        this->RequestAsyncServerStreaming(number, args...);
      } else {
        this->RequestAsyncUnary(number, args...);
      }
    };
  }

 private:
  // gRPC numbers the methods of a service in the order of its proto.
  static int NumberOf(std::string_view name) {
    std::string full_name(name);
    full_name[full_name.find('/')] = '.';
    return google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(full_name)->index();
  }
};

}  // namespace igptd::rpc
