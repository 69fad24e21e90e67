// An RPC with one request and a stream of answers.
#pragma once

#include <coroutine>
#include <utility>

#include "service/rpc/one_request_call.h"
#include "service/rpc/task.h"

namespace igptd::rpc {

template <typename RequestMessage, typename Response>
class StreamCall final : public OneRequestCall<StreamCall<RequestMessage, Response>, RequestMessage> {
 public:
  static constexpr bool kStreams = true;
  using OneRequestCall<StreamCall, RequestMessage>::OneRequestCall;
  using Call::Finish;

  // co_await Write(…): sends an event; false if the call is over, and then only Finish may follow. `more`: another
  // event follows at once, so gRPC may send both together.
  auto Write(const Response& response, bool is_event, bool more) {
    return Wait{[this] { return this->stopping(); },
                [this, &response, is_event, more](std::coroutine_handle<> writer) {
                  writer_ = writer;
                  this->StartWrite(response, is_event, more);
                },
                [this] { return !this->stopping() && written_; }};
  }

  // Ends the call with a last event and OK. It must not be used after that.
  void Finish(const Response& last) { this->WriteAndFinish(last); }

 private:
  void OnWritten(bool ok) override {
    written_ = ok;
    std::exchange(writer_, nullptr).resume();
  }

  std::coroutine_handle<> writer_;
  bool written_ = false;
};

}  // namespace igptd::rpc
