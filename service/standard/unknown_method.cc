#include "service/standard/unknown_method.h"

#include <string_view>

#include "service/contract/call_status.h"
#include "service/edge/caller_connection.h"

namespace igptd {

void UnknownMethodCall::Handle() {
  if (connection() != nullptr) connection()->Offend();
  std::string_view method = context().method();
  if (method.starts_with('/')) method.remove_prefix(1);
  Finish(ToCallStatus(Refusal::kUnknownMethod, {.method = method}));
}

}  // namespace igptd
