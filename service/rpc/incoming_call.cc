#include "service/rpc/incoming_call.h"

#include "service/rpc/acceptor.h"
#include "service/rpc/hand_over.h"

namespace igptd::rpc {

IncomingCall::IncomingCall(Acceptor& acceptor, Loop& loop) : acceptor_(acceptor), loop_(loop) {
  context_.AsyncNotifyWhenDone(&over_tag_);
}

IncomingCall::~IncomingCall() {
  if (connection_ != nullptr) --connection_->calls().open;
}

void IncomingCall::Request(grpc::AsyncGenericService& service, grpc::ServerCompletionQueue* queue) {
  GivenToGrpc(&over_tag_);
  GivenToGrpc(&accepted_tag_);
  service.RequestCall(&context_, &stream_, loop_.queue(), queue, &accepted_tag_);
}

void IncomingCall::Accepted(std::shared_ptr<CallerConnection> connection) {
  accepted_at_ = igpt::MonotonicTime::Now();
  connection_ = std::move(connection);
  if (connection_ == nullptr) return;
  ++connection_->calls().waiting;
  // Clients that obey the limit in igptd's SETTINGS never get here.
  if (++connection_->calls().open > kMaxOpenStreams) connection_->CutOff("it has too many open calls");
}

void IncomingCall::Taken() {
  if (connection_ != nullptr) --connection_->calls().waiting;
}

void IncomingCall::Discard(std::unique_ptr<IncomingCall> call) {
  if (call->over_) return;
  IncomingCall* left = call.release();
  left->OnOver([left] { delete left; });
}

void IncomingCall::AcceptedTag::OnCompleted(bool ok) {
  call.acceptor_.OnAccepted(std::unique_ptr<IncomingCall>(&call), ok);
}

void IncomingCall::OverTag::OnCompleted(bool /*ok*/) {
  call.over_ = true;
  if (call.on_over_ != nullptr) std::exchange(call.on_over_, nullptr)();  // may delete the call
}

}  // namespace igptd::rpc
