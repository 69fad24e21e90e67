#include "service/standard/standard_services.h"

#include <string>
#include <vector>

#include "service/contract/method_table.h"

namespace igptd {
namespace {

rpc::CallEnvironment Environment(const rpc::CallEnvironment& own, const Entry& entry, Audience audience,
                                 Admission& room) {
  return {.stalled_reader_timeout = own.stalled_reader_timeout,
          .enter = [&entry, audience, &room](rpc::Call& call) { return entry.Enter(call, audience, room); },
          .await_request = [&entry](rpc::Call& call) { return entry.AwaitRequest(call); },
          .check_request = [](rpc::Call& /*call*/) { return std::nullopt; },
          .background = true};
}

rpc::CallEnvironment Counted(rpc::CallEnvironment environment, const rpc::CallEnvironment& own) {
  environment.on_started = own.on_started;
  environment.on_finished = own.on_finished;
  environment.observer_of = own.observer_of;
  return environment;
}

std::vector<std::string> AllServices(bool with_channelz) {
  std::vector<std::string> services = ServiceNames();
  services.insert(services.end(), {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                   "grpc.reflection.v1alpha.ServerReflection"});
  if (with_channelz) services.emplace_back("grpc.channelz.v1.Channelz");
  return services;
}

}  // namespace

StandardServices::StandardServices(rpc::Loop& loop, const rpc::CallEnvironment& own, const Entry& entry,
                                   StandardRooms& rooms, bool with_channelz, rpc::Methods& methods)
    : open_(Environment(own, entry, Audience::kEveryone, rooms.answers)),
      open_streams_(Environment(own, entry, Audience::kEveryone, rooms.streams)),
      known_(Environment(own, entry, Audience::kKnown, rooms.answers)),
      unknown_(Counted(known_, own)),
      health_(AllServices(with_channelz), loop, open_, open_streams_, methods),
      reflection_(AllServices(with_channelz), open_streams_, methods),
      unknown_method_{"unknown", unknown_, [](UnknownMethodCall& /*call*/) {}} {
  if (with_channelz) channelz_.emplace(known_, methods);
  methods.AddUnknown(unknown_method_);
}

}  // namespace igptd
