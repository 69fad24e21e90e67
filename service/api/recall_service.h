// igpt.v1.RecallService on one loop.
#pragma once

#include "igpt/v1/recall.grpc.pb.h"
#include "service/api/handlers.h"
#include "service/rpc/calls.h"
#include "service/rpc/task.h"

namespace igptd {

// What gRPC has generated, with the requests as bytes: they are parsed on the loops. The numbers are the methods', in
// the order of the proto.
class RecallRequests final : public igpt::v1::RecallService::AsyncService {
 public:
  template <typename... Args>
  void RequestAsk(Args... args) {
    RequestAsyncServerStreaming(0, args...);
  }
  template <typename... Args>
  void RequestSearch(Args... args) {
    RequestAsyncUnary(1, args...);
  }
};

class RecallService {
 public:
  using AskCall = rpc::StreamCall<igpt::v1::AskRequest, igpt::v1::AskResponse>;
  using SearchCall = rpc::UnaryCall<igpt::v1::SearchRequest, igpt::v1::SearchResponse>;

  // `service` is shared by all loops; everything given must outlive this.
  RecallService(RecallRequests& service, const HandlerContext& context, rpc::Loop& loop,
                const rpc::CallEnvironment& environment, grpc::ServerCompletionQueue* incoming);

  // Asks gRPC for one more call of each RPC.
  void Accept();

 private:
  rpc::Task Ask(AskCall& call);
  void Search(SearchCall& call);

  const HandlerContext& context_;
  const rpc::Method<AskCall> ask_;
  const rpc::Method<SearchCall> search_;
};

}  // namespace igptd
