// The function that sends GOAWAY is none of gRPC's public ones, so another version may lack it.
#include "service/edge/goaway.h"

#include <memory>
#include <string>
#include <thread>

#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "tests/support/http2_client.h"

namespace igptd {
namespace {

TEST(GoawayTest, AsksCallersToLeaveWhileTheServerServes) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  grpc::AsyncGenericService service;
  builder.RegisterAsyncGenericService(&service);
  const std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  std::thread poller([&queue] {
    void* tag;
    bool ok;
    while (queue->Next(&tag, &ok)) {
    }
  });

  {
    igpt::testing::Http2Client client("127.0.0.1:" + std::to_string(port));
    client.Ping();
    EXPECT_TRUE(client.Await([&client] { return client.pongs() > 0; }));
    EXPECT_TRUE(SendGoaways(*server));
    EXPECT_TRUE(client.Await([&client] { return client.goaway().has_value(); }));
  }  // it leaves, so that the server has nobody to wait for

  server->Shutdown();
  queue->Shutdown();
  poller.join();
}

}  // namespace
}  // namespace igptd
