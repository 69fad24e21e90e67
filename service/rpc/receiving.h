// Which requests are being received on a loop. Of one caller's, only a few at a time: the others wait, and HTTP/2's
// flow control makes their caller wait once it has sent 64 KiB of each. So however many requests arrive, and however
// slowly, what they take stays bounded, and nobody waits for the requests of others.
#pragma once

#include <cstddef>
#include <list>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"

namespace igptd::rpc {

// How many of one caller's requests a loop receives at a time.
inline constexpr size_t kReceivedAtOnce = 32;

// Belongs to its loop's thread.
class Receiving {
 public:
  // The place of a request. Gives itself back.
  class Place {
   public:
    Place() = default;
    ~Place() { Leave(); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    // Calls `start` when the request may be received, which may be at once. Call it once.
    void Enter(Receiving& receiving, std::string caller, absl::AnyInvocable<void()> start);
    bool entered() const { return receiving_ != nullptr; }
    // The request is whole, or is not wanted any more.
    void Leave();

   private:
    Receiving* receiving_ = nullptr;  // null: holds no place
    std::string caller_;
    bool started_ = false;
    std::list<Place*>::iterator turn_;  // while it waits
    absl::AnyInvocable<void()> start_;
    friend class Receiving;
  };

 private:
  struct Caller {
    size_t received = 0;
    std::list<Place*> waiting;
  };
  absl::flat_hash_map<std::string, Caller> callers_;
};

}  // namespace igptd::rpc
