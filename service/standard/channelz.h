// grpc.channelz.v1.Channelz: gRPC's connections and their call counts. gRPC's own implementation brings threads, which
// would take turns at polling all sockets, and it ignores the callers file. Channelz holds no keys, questions, answers
// or users.
#pragma once

#include "grpc/channelz/v1/channelz.grpc.pb.h"
#include "service/rpc/method.h"
#include "service/rpc/unary_call.h"

namespace igptd {

class Channelz {
 public:
  // Adds its methods to `methods`. `environment` must outlive this.
  Channelz(const rpc::CallEnvironment& environment, rpc::Methods& methods);

 private:
  template <typename Request, typename Response>
  using Method = rpc::Method<rpc::UnaryCall<Request, Response>>;

  const Method<grpc::channelz::v1::GetTopChannelsRequest, grpc::channelz::v1::GetTopChannelsResponse> top_channels_;
  const Method<grpc::channelz::v1::GetServersRequest, grpc::channelz::v1::GetServersResponse> servers_;
  const Method<grpc::channelz::v1::GetServerRequest, grpc::channelz::v1::GetServerResponse> server_;
  const Method<grpc::channelz::v1::GetServerSocketsRequest, grpc::channelz::v1::GetServerSocketsResponse>
      server_sockets_;
  const Method<grpc::channelz::v1::GetChannelRequest, grpc::channelz::v1::GetChannelResponse> channel_;
  const Method<grpc::channelz::v1::GetSubchannelRequest, grpc::channelz::v1::GetSubchannelResponse> subchannel_;
  const Method<grpc::channelz::v1::GetSocketRequest, grpc::channelz::v1::GetSocketResponse> socket_;
};

}  // namespace igptd
