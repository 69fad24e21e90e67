// grpc.channelz.v1.Channelz: what it reports, and to whom.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpc/channelz/v1/channelz.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace channelz = grpc::channelz::v1;
using grpc::StatusCode;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Stub = channelz::Channelz::Stub;

// Sends `request` by this function of the stub, and returns the answer.
template <typename Request, typename Response>
Unary<Response> Call(const Igptd& igptd, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                     const Request& request, const Prepare& prepare = {}) {
  Unary<Response> answer;
  grpc::ClientContext context;
  if (prepare) prepare(context);
  const std::unique_ptr<Stub> stub = channelz::Channelz::NewStub(igptd.channel);
  answer.status = ((*stub).*method)(&context, request, &answer.response);
  return answer;
}

grpc::Status GetServers(const Igptd& igptd, const Prepare& prepare = {}) {
  return Call(igptd, &Stub::GetServers, channelz::GetServersRequest(), prepare).status;
}

TEST(IgptdChannelzTest, IsNotServedUnlessAskedFor) {
  const Igptd igptd;
  EXPECT_EQ(GetServers(igptd).error_code(), StatusCode::UNIMPLEMENTED);
}

TEST(IgptdChannelzTest, TellsOfTheConnectionsAndTheirCalls) {
  Igptd igptd({"--channelz"});
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
  igpt::v1::ListRequest list;
  list.set_user("ada");
  for (int i = 0; i < 3; ++i) EXPECT_THAT(igptd.List(list).status, IsOkStatus());

  const auto servers = Call(igptd, &Stub::GetServers, channelz::GetServersRequest());
  EXPECT_THAT(servers.status, IsOkStatus());
  EXPECT_TRUE(servers.response.end());
  ASSERT_THAT(servers.response.server(), SizeIs(1));
  const channelz::Server& server = servers.response.server(0);
  EXPECT_GE(server.data().calls_started(), 4);
  EXPECT_GE(server.data().calls_succeeded(), 3);

  channelz::GetServerRequest server_request;
  server_request.set_server_id(server.ref().server_id());
  const auto same = Call(igptd, &Stub::GetServer, server_request);
  EXPECT_THAT(same.status, IsOkStatus());
  EXPECT_EQ(same.response.server().ref().server_id(), server.ref().server_id());

  channelz::GetServerSocketsRequest sockets_request;
  sockets_request.set_server_id(server.ref().server_id());
  const auto sockets = Call(igptd, &Stub::GetServerSockets, sockets_request);
  EXPECT_THAT(sockets.status, IsOkStatus());
  ASSERT_THAT(sockets.response.socket_ref(), SizeIs(1));

  channelz::GetSocketRequest socket_request;
  socket_request.set_socket_id(sockets.response.socket_ref(0).socket_id());
  const auto socket = Call(igptd, &Stub::GetSocket, socket_request);
  EXPECT_THAT(socket.status, IsOkStatus());
  EXPECT_THAT(socket.response.socket().remote().tcpip_address().ip_address(), Not(IsEmpty()));
  EXPECT_GE(socket.response.socket().data().streams_started(), 6);

  // igptd has no gRPC clients of its own.
  const auto channels = Call(igptd, &Stub::GetTopChannels, channelz::GetTopChannelsRequest());
  EXPECT_THAT(channels.status, IsOkStatus());
  EXPECT_THAT(channels.response.channel(), IsEmpty());
}

// Some of these requests would make gRPC itself abort the process.
TEST(IgptdChannelzTest, RefusesWhatThereIsNot) {
  const Igptd igptd({"--channelz"});
  const auto with_id = [](auto request, auto set, int64_t id) {
    (request.*set)(id);
    return request;
  };
  for (const int64_t id : {int64_t{-1}, int64_t{0}, int64_t{1'000'000'000}}) {
    const auto expect = [&](const grpc::Status& status) {
      EXPECT_EQ(status.error_code(), id < 0 ? StatusCode::INVALID_ARGUMENT : StatusCode::NOT_FOUND)
          << id << ": " << status.error_message();
    };
    expect(Call(igptd, &Stub::GetServer,
                with_id(channelz::GetServerRequest(), &channelz::GetServerRequest::set_server_id, id))
               .status);
    expect(Call(igptd, &Stub::GetServerSockets,
                with_id(channelz::GetServerSocketsRequest(), &channelz::GetServerSocketsRequest::set_server_id, id))
               .status);
    expect(Call(igptd, &Stub::GetChannel,
                with_id(channelz::GetChannelRequest(), &channelz::GetChannelRequest::set_channel_id, id))
               .status);
    expect(Call(igptd, &Stub::GetSubchannel,
                with_id(channelz::GetSubchannelRequest(), &channelz::GetSubchannelRequest::set_subchannel_id, id))
               .status);
    expect(Call(igptd, &Stub::GetSocket,
                with_id(channelz::GetSocketRequest(), &channelz::GetSocketRequest::set_socket_id, id))
               .status);
  }
  const auto server = Call(igptd, &Stub::GetServers, channelz::GetServersRequest());
  ASSERT_THAT(server.response.server(), SizeIs(1));
  channelz::GetServerSocketsRequest sockets;
  sockets.set_server_id(server.response.server(0).ref().server_id());
  sockets.set_start_socket_id(-1);
  EXPECT_EQ(Call(igptd, &Stub::GetServerSockets, sockets).status.error_message(),
            "start_socket_id must not be negative");
  sockets.set_start_socket_id(0);
  sockets.set_max_results(-1);
  EXPECT_EQ(Call(igptd, &Stub::GetServerSockets, sockets).status.error_message(), "max_results must not be negative");
  EXPECT_THAT(GetServers(igptd), IsOkStatus());
}

constexpr char kToken[] = "channelz-token-0123456789abcdef";
// From sha256sum.
constexpr char kTokenHash[] = "18cd56d614e481ac9530939730d6ae77309726c7c86cc598725b7fbe48567e37";

// Because it reveals the peers of all callers.
TEST(IgptdChannelzTest, IsForCallersOfTheFileEvenWhereHealthIsOpen) {
  const ScratchDirectory directory;
  const std::string callers = directory.Write(
      "callers",
      absl::StrCat(R"({"callers":[{"name":"ops","users":{"any":true},"token_sha256":[")", kTokenHash, R"("]}]})"));
  const Igptd igptd({"--channelz", "--callers_file=" + callers});
  EXPECT_THAT(GetServers(igptd), FailsWith(StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED"));
  EXPECT_THAT(GetServers(igptd,
                         [](grpc::ClientContext& context) {
                           context.AddMetadata("authorization", absl::StrCat("Bearer ", kToken));
                         }),
              IsOkStatus());
}

}  // namespace
}  // namespace igpt::testing
