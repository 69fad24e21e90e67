// An RPC of a service on one loop: how a call of it is asked for, and who handles it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"
#include "grpcpp/completion_queue.h"
#include "service/rpc/call.h"

namespace igptd::rpc {

// Where calls come from and live: the same for all methods of a loop. What it refers to outlives the calls.
struct MethodPlace {
  Loop& loop;
  const CallEnvironment& environment;
  grpc::ServerCompletionQueue* incoming;  // the server's
};

// Outlives its calls. Thread-safe: nothing of it changes.
template <typename CallType>
struct Method {
  std::string_view name;  // "igpt.v1.RecallService/Ask"
  MethodPlace place;
  // Asks gRPC for a call: see AsyncService::Asker.
  typename CallType::Ask ask;
  // Takes over a call that has been let in: sees to it that Finish is called, once.
  std::function<void(CallType&)> handle;
  CallObserver* observer =
      place.environment.observer_of ? place.environment.observer_of(name, CallType::kStreams) : nullptr;
};

// A service as gRPC has generated it, but with requests handed over as bytes: they are parsed on the loops. Shared by
// all loops.
template <typename Service>
class AsyncService final : public Service::AsyncService {
 public:
  // What Method::ask is for the method of this name ("igpt.v1.RecallService/Ask").
  template <typename CallType>
  typename CallType::Ask Asker(std::string_view name) {
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
