// gRPC calls over one HTTP/2 connection.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "bench/load/connection.h"
#include "bench/load/message_reader.h"
#include "bench/load/request.h"

namespace igpt::bench {

// How much the server may send: kLarge never slows it down, kFixed is HTTP/2's 65,535 bytes and never updated.
enum class Windows { kLarge, kFixed };

class GrpcConnection final : public Connection {
 public:
  // Every call sends `request`, which must outlive the connection.
  GrpcConnection(const Endpoint& endpoint, int epoll, const GrpcRequest& request, Windows windows);

  void Start(Call& call) override;
  bool busy() const override { return !streams_.empty(); }
  bool usable() const override { return Connection::usable() && !going_away_; }

 private:
  struct Stream {
    Call* call;
    size_t sent = 0;  // of the request
    MessageReader messages;
    int http_status = 0;
    int grpc_status = -1;  // -1: none received
  };
  struct SessionDeleter {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  struct Callbacks;

  bool Receive(std::string_view bytes, int64_t now) override;
  void Produce(std::string& out) override;
  void FailCalls(int64_t now) override;
  void FinishStream(int32_t id, uint32_t error);

  const GrpcRequest& request_;
  std::unordered_map<int32_t, Stream> streams_;
  bool going_away_ = false;
  int64_t now_ = 0;  // when the bytes that are being processed were read
  std::unique_ptr<nghttp2_session, SessionDeleter> session_;
};

}  // namespace igpt::bench
