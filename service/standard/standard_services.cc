#include "service/standard/standard_services.h"

#include <utility>

namespace igptd {

StandardServices::StandardServices(bool with_channelz) {
  if (with_channelz) channelz_service_.emplace();
}

void StandardServices::Register(grpc::ServerBuilder& builder) {
  builder.RegisterService(&health_service_);
  builder.RegisterService(&reflection_v1_);
  builder.RegisterService(&reflection_v1alpha_);
  if (channelz_service_.has_value()) builder.RegisterService(&*channelz_service_);
  builder.RegisterAsyncGenericService(&unknown_service_);
}

void StandardServices::Start(std::vector<std::string> own_services, const rpc::CallEnvironment& own, const Entry& entry,
                             rpc::Loop& loop, grpc::ServerCompletionQueue* incoming) {
  const auto environment = [&](Audience audience, Admission& room) -> rpc::CallEnvironment {
    return {.stalled_reader_timeout = own.stalled_reader_timeout,
            .enter = [&entry, audience, &room](rpc::Call& call) { return entry.Enter(call, audience, room); },
            .background = true};
  };
  open_ = environment(Audience::kEveryone, answers_);
  open_streams_ = environment(Audience::kEveryone, streams_);
  known_ = environment(Audience::kKnown, answers_);
  unknown_ = known_;
  unknown_.on_finished = own.on_finished;
  unknown_.observer_of = own.observer_of;

  std::vector<std::string> services = std::move(own_services);
  services.insert(services.end(), {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                   "grpc.reflection.v1alpha.ServerReflection"});
  if (channelz_service_.has_value()) services.emplace_back("grpc.channelz.v1.Channelz");

  const rpc::MethodPlace streams{loop, open_streams_, incoming};
  health_ = std::make_unique<Health>(health_service_, services, rpc::MethodPlace{loop, open_, incoming}, streams);
  health_->Accept();
  for (ReflectionService* version : {&reflection_v1_, &reflection_v1alpha_}) {
    reflections_.push_back(std::make_unique<Reflection>(*version, services, streams));
    reflections_.back()->Accept();
  }
  if (channelz_service_.has_value()) {
    channelz_ = std::make_unique<Channelz>(*channelz_service_, rpc::MethodPlace{loop, known_, incoming});
    channelz_->Accept();
  }
  unknown_methods_ = std::make_unique<UnknownMethods>(unknown_service_, rpc::MethodPlace{loop, unknown_, incoming});
}

}  // namespace igptd
