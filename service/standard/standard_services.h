// gRPC's standard services: health, both versions of reflection and, if it is turned on, channelz; and the end of calls
// of any other service. Their calls are background calls: the drain doesn't wait for them.
#pragma once

#include <optional>

#include "service/access/entry.h"
#include "service/limits/admission.h"
#include "service/rpc/call.h"
#include "service/rpc/loop.h"
#include "service/rpc/method.h"
#include "service/standard/channelz.h"
#include "service/standard/health.h"
#include "service/standard/reflection.h"
#include "service/standard/unknown_method.h"

namespace igptd {

// Where their calls take their places, on all loops.
struct StandardRooms {
  Admission streams{kStandardStreams};
  Admission answers{kStandardAnswers};
};

// On one loop.
class StandardServices {
 public:
  // Adds their methods to `methods`. `own`: the environment of igptd's own services. Everything that is given as a
  // reference must outlive this.
  StandardServices(rpc::Loop& loop, const rpc::CallEnvironment& own, const Entry& entry, StandardRooms& rooms,
                   bool with_channelz, rpc::Methods& methods);

  Health& health() { return health_; }

 private:
  const rpc::CallEnvironment open_;          // for everyone who can connect, unless the callers file says otherwise
  const rpc::CallEnvironment open_streams_;  // the same for streams
  const rpc::CallEnvironment known_;         // for callers in the callers file
  const rpc::CallEnvironment unknown_;       // the same for unknown methods, whose calls are logged and counted
  Health health_;
  const Reflection reflection_;
  std::optional<Channelz> channelz_;  // nullopt: not served
  // Logs and metrics have one name for all of them, because callers could make up any number.
  const rpc::Method<UnknownMethodCall> unknown_method_;
};

}  // namespace igptd
