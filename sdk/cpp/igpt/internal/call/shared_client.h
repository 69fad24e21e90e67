// What a Client, its copies, its parts and its streams share.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "igpt/client_ref.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/unstable/event_loop.h"

namespace igpt::internal {

// Thread-safe. Whoever lets go of the last reference destroys it, wherever that is: on the loop's thread too, in a
// callback, or in a static's destructor.
class SharedClient {
 public:
  // `own_loop`: null if the core's loop belongs to somebody else.
  SharedClient(std::unique_ptr<EventLoop> own_loop, std::unique_ptr<ClientCore> core);
  ~SharedClient();
  SharedClient(const SharedClient&) = delete;
  SharedClient& operator=(const SharedClient&) = delete;

  EventLoop& loop() const { return core_->loop; }
  ClientCore& core() const { return *core_; }

  // Cancels all calls; later ones end with kAborted. Waits until their callbacks have returned, unless it runs in one
  // of them or on the loop's thread.
  void Close();

 private:
  friend class ClientRef;

  std::unique_ptr<EventLoop> own_loop_;
  std::unique_ptr<ClientCore> core_;
  std::atomic<int> users_ = 0;  // ClientRefs
};

// FAILED_PRECONDITION if there is no client, because it was moved from; and in a child of fork(), where nothing of it
// is to be used, since only its parent has the loop's thread.
absl::Status Usable(const std::shared_ptr<SharedClient>& client);

// Writes that `function` was called without a callback, so that it did nothing. `client` may be null.
void RefuseNull(const SharedClient* client, std::string_view function);

}  // namespace igpt::internal
