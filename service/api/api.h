// igptd's own RPCs, from the table of methods.
#pragma once

#include <memory>

#include "service/api/handler_context.h"
#include "service/rpc/method.h"

namespace igptd {

// The RPCs on one loop. Must outlive their calls.
class Api {
 public:
  // Adds them to `methods`. `environment` must outlive them.
  Api(const HandlerContext& context, const rpc::CallEnvironment& environment, rpc::Methods& methods);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace igptd
