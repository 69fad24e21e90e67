#include "igpt/internal/call/shared_client.h"

#include <future>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"
#include "igpt/error.h"
#include "igpt/internal/base/fork.h"
#include "igpt/internal/base/string_view.h"
#include "igpt/internal/call/call_limits.h"
#include "igpt/internal/call/on_loop.h"

namespace igpt::internal {
namespace {

// Cancelled calls call back at the end of the turn, in order: `closed` comes after the last of them.
void CancelAll(ClientCore& core, absl::AnyInvocable<void()> closed) {
  core.closing = true;
  const std::vector<CallLimits*> calls(core.calls.begin(), core.calls.end());
  for (CallLimits* call : calls) call->Cancel();
  core.loop.Defer(std::move(closed));
}

}  // namespace

SharedClient::SharedClient(std::unique_ptr<EventLoop> own_loop, std::unique_ptr<ClientCore> core)
    : own_loop_(std::move(own_loop)), core_(std::move(core)) {}

SharedClient::~SharedClient() {
  EventLoop& loop = core_->loop;
  if (loop.LeftBehind()) {
    KeepForever(std::move(core_));
    KeepForever(std::move(own_loop_));
    return;
  }
  // At the end of a turn, when nothing of the core is on the stack or has still to call back.
  if (loop.InLoop()) {
    loop.Defer([own_loop = std::move(own_loop_), core = std::move(core_)]() mutable {
      core.reset();
      if (own_loop != nullptr) EventLoop::EndWithTurn(std::move(own_loop));
    });
    return;
  }
  std::promise<void> gone;
  std::future<void> is_gone = gone.get_future();
  loop.Post([&loop, core = std::move(core_), gone = std::move(gone)]() mutable {
    loop.Defer([core = std::move(core), gone = std::move(gone)]() mutable {
      core.reset();
      gone.set_value();
    });
  });
  is_gone.wait();
}

ClientRef::ClientRef(std::shared_ptr<SharedClient> client) : client_(std::move(client)) {
  if (client_ != nullptr) ++client_->users_;
}

ClientRef::ClientRef(const ClientRef& other) : ClientRef(other.client_) {}

// client_ stays until it is closed: a callback may use whoever holds this meanwhile.
ClientRef::~ClientRef() {
  if (client_ != nullptr && --client_->users_ == 0) client_->Close();
}

ClientRef& ClientRef::operator=(ClientRef other) noexcept {
  std::swap(client_, other.client_);
  return *this;
}

absl::Status Usable(const std::shared_ptr<SharedClient>& client) {
  if (client == nullptr) return MakeStatus(ErrorKind::kConfiguration, "this client was moved from");
  if (!client->loop().LeftBehind()) return absl::OkStatus();
  return MakeStatus(ErrorKind::kConfiguration,
                    "this client was made before fork(): the child has to make one of its own");
}

void RefuseNull(const SharedClient* client, std::string_view function) {
  const std::string line = absl::StrCat(AbslView(function), " got a null callback, so it did nothing: give it one");
  if (client == nullptr) return Log(nullptr).Complain(line);
  client->core().log->Complain(line);
}

void SharedClient::Close() {
  EventLoop& loop = core_->loop;
  if (loop.LeftBehind()) return;
  if (loop.InLoop()) return CancelAll(*core_, [] {});
  const std::shared_ptr<Callbacks> callbacks = core_->callbacks;
  std::promise<void> closed;
  const std::future<void> is_closed = closed.get_future();
  loop.Post([core = core_.get(), closed = std::move(closed)]() mutable {
    CancelAll(*core, [closed = std::move(closed)]() mutable { closed.set_value(); });
  });
  if (callbacks->InCallback()) return;
  is_closed.wait();
  callbacks->Finish();
}

}  // namespace igpt::internal
