// What every call to igptd needs: a deadline, the caller's token, and a way to cancel it.
#pragma once

#include <grpcpp/client_context.h>

#include "client/session.h"

// Ctrl-C cancels the call as long as this exists. A context is for one call: make another for the next.
class Call {
 public:
  explicit Call(const Session& session);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  grpc::ClientContext* context() { return &context_; }

 private:
  Interrupt& interrupt_;
  grpc::ClientContext context_;
};
