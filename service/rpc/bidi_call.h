// An RPC with a stream of requests and a stream of answers, where reads and writes never overlap.
#pragma once

#include <coroutine>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "service/rpc/call.h"
#include "service/rpc/incoming_call.h"
#include "service/rpc/method.h"
#include "service/rpc/parse.h"
#include "service/rpc/task.h"

namespace igptd::rpc {

template <typename RequestMessage, typename Response>
class BidiCall final : public Call {
 public:
  static constexpr bool kStreams = true;

  BidiCall(const Method<BidiCall>& method, std::unique_ptr<IncomingCall> incoming)
      : Call(std::move(incoming), method.environment, method.name, method.observer), method_(method) {}

  // co_await Read(): whether there is another request(); false if the caller has sent its last, or one that can't be
  // parsed (then malformed() says so), or the call is over.
  auto Read() {
    return Wait{[this] { return this->stopping(); },
                [this](std::coroutine_handle<> waiting) {
                  waiting_ = waiting;
                  this->OnStop([this] {
                    if (this->reading()) Resume(false);
                  });
                  this->StartRead(/*soon=*/false);
                },
                [this] { return !this->stopping() && succeeded_; }};
  }
  const RequestMessage& request() const { return request_; }
  const absl::Status& malformed() const { return parsed_; }  // OK: it was not

  // co_await Write(…): sends an answer; false if the call is over.
  auto Write(const Response& response) {
    return Wait{[this] { return this->stopping(); },
                [this, &response](std::coroutine_handle<> waiting) {
                  waiting_ = waiting;
                  this->StartWrite(response, /*is_event=*/true, /*more=*/false);
                },
                [this] { return !this->stopping() && succeeded_; }};
  }

 private:
  void Handle() override { method_.handle(*this); }
  void OnRequest() override {}
  absl::Status ParseRequest(const grpc::ByteBuffer& bytes) override { return rpc::ParseRequest(bytes, &request_); }
  const google::protobuf::Message* request_message() const override { return nullptr; }

  void OnRead(bool ok, const grpc::ByteBuffer& bytes) override {
    if (ok) parsed_ = ParseRequest(bytes);
    Resume(ok && parsed_.ok());
  }
  void OnWritten(bool ok) override { Resume(ok); }
  void Resume(bool succeeded) {
    if (waiting_ == nullptr) return;
    succeeded_ = succeeded;
    std::exchange(waiting_, nullptr).resume();
  }

  const Method<BidiCall>& method_;
  RequestMessage request_;
  absl::Status parsed_;  // the last request
  std::coroutine_handle<> waiting_;
  bool succeeded_ = false;  // how the operation ended that was started last
};

}  // namespace igptd::rpc
