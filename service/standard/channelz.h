// grpc.channelz.v1.Channelz: the connections that gRPC has, and how many calls each of them had. gRPC brings the
// service, but with threads of its own, which would take part in the polling of all sockets, and past the callers file.
// Of keys, questions, answers and users gRPC notes nothing there.
#pragma once

#include "grpc/channelz/v1/channelz.grpc.pb.h"
#include "service/rpc/method.h"
#include "service/rpc/unary_call.h"

namespace igptd {

class Channelz {
 public:
  using Service = rpc::AsyncService<grpc::channelz::v1::Channelz>;

  // Everything given must outlive this.
  Channelz(Service& service, const rpc::MethodPlace& place);

  // Asks gRPC for one more call of each RPC.
  void Accept();

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
