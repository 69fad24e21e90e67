#include "client/call.h"

Call::Call(const Session& session) : interrupt_(session.interrupt) {
  // Without a deadline, a call can last as long as igptd allows.
  context_.set_deadline(session.deadline);
  // As metadata, because gRPC refuses its own call credentials on a channel without TLS, even to this machine.
  if (!session.token.empty()) context_.AddMetadata("authorization", "Bearer " + session.token);
  interrupt_.Cancels(&context_);
}

Call::~Call() {
  interrupt_.Cancels(nullptr);
}
