#include "service/standard/channelz.h"

#include <grpc/grpc.h>
#include <grpc/support/alloc.h>

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/util/json_util.h"

namespace igptd {
namespace {

namespace v1 = grpc::channelz::v1;

// A number in a request, and the name of its field.
using Field = std::pair<absl::string_view, int64_t>;

// Ends the call with `describe()`, which returns gRPC's answer as the JSON form of the protos, or null for an unknown
// id. gRPC aborts the process on a negative number, so `numbers` are checked first.
template <typename Request, typename Response, typename Describe>
void Answer(rpc::UnaryCall<Request, Response>& call, std::initializer_list<Field> numbers, Describe describe) {
  for (const auto& [field, number] : numbers) {
    if (number >= 0) continue;
    return call.Finish(
        {grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, absl::StrCat(field, " must not be negative")), {}});
  }
  char* json = describe();
  if (json == nullptr) return call.Finish({grpc::Status(grpc::StatusCode::NOT_FOUND, "no such id"), {}});
  Response response;
  const bool read = google::protobuf::util::JsonStringToMessage(json, &response).ok();
  gpr_free(json);
  if (!read) {
    return call.Finish({grpc::Status(grpc::StatusCode::INTERNAL, "gRPC's description can't be read"), {}});
  }
  call.Finish(response);
}

void TopChannels(rpc::UnaryCall<v1::GetTopChannelsRequest, v1::GetTopChannelsResponse>& call) {
  const int64_t start = call.request().start_channel_id();
  Answer(call, {{"start_channel_id", start}}, [start] { return grpc_channelz_get_top_channels(start); });
}

void Servers(rpc::UnaryCall<v1::GetServersRequest, v1::GetServersResponse>& call) {
  const int64_t start = call.request().start_server_id();
  Answer(call, {{"start_server_id", start}}, [start] { return grpc_channelz_get_servers(start); });
}

void Server(rpc::UnaryCall<v1::GetServerRequest, v1::GetServerResponse>& call) {
  const int64_t id = call.request().server_id();
  Answer(call, {{"server_id", id}}, [id] { return grpc_channelz_get_server(id); });
}

void ServerSockets(rpc::UnaryCall<v1::GetServerSocketsRequest, v1::GetServerSocketsResponse>& call) {
  const int64_t id = call.request().server_id();
  const int64_t start = call.request().start_socket_id();
  const int64_t most = call.request().max_results();
  Answer(call, {{"server_id", id}, {"start_socket_id", start}, {"max_results", most}},
         [=] { return grpc_channelz_get_server_sockets(id, start, most); });
}

void Channel(rpc::UnaryCall<v1::GetChannelRequest, v1::GetChannelResponse>& call) {
  const int64_t id = call.request().channel_id();
  Answer(call, {{"channel_id", id}}, [id] { return grpc_channelz_get_channel(id); });
}

void Subchannel(rpc::UnaryCall<v1::GetSubchannelRequest, v1::GetSubchannelResponse>& call) {
  const int64_t id = call.request().subchannel_id();
  Answer(call, {{"subchannel_id", id}}, [id] { return grpc_channelz_get_subchannel(id); });
}

void Socket(rpc::UnaryCall<v1::GetSocketRequest, v1::GetSocketResponse>& call) {
  const int64_t id = call.request().socket_id();
  Answer(call, {{"socket_id", id}}, [id] { return grpc_channelz_get_socket(id); });
}

}  // namespace

Channelz::Channelz(const rpc::CallEnvironment& environment, rpc::Methods& methods)
    : top_channels_{"grpc.channelz.v1.Channelz/GetTopChannels", environment, TopChannels},
      servers_{"grpc.channelz.v1.Channelz/GetServers", environment, Servers},
      server_{"grpc.channelz.v1.Channelz/GetServer", environment, Server},
      server_sockets_{"grpc.channelz.v1.Channelz/GetServerSockets", environment, ServerSockets},
      channel_{"grpc.channelz.v1.Channelz/GetChannel", environment, Channel},
      subchannel_{"grpc.channelz.v1.Channelz/GetSubchannel", environment, Subchannel},
      socket_{"grpc.channelz.v1.Channelz/GetSocket", environment, Socket} {
  const auto add = [&](const auto&... method) { (methods.Add(method), ...); };
  add(top_channels_, servers_, server_, server_sockets_, channel_, subchannel_, socket_);
}

}  // namespace igptd
