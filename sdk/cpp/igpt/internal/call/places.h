// How many calls of a client may run at once: see Options::max_calls_in_flight. On the loop's thread.
#pragma once

#include <list>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace igpt::internal {

class Places {
 public:
  explicit Places(int limit) : limit_(limit) {}  // 0: any number

  // A call's place among them. It begins without one, and gives it up when it is destroyed.
  class Place {
   public:
    // `granted` runs when a place is there that had to be waited for, in the Leave() of another: so it must only defer.
    Place(Places& places, absl::AnyInvocable<void()> granted) : places_(places), granted_(std::move(granted)) {}
    ~Place() { Leave(); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    // True: it has one now. Else it gets one in order of arrival. Once.
    [[nodiscard]] bool Take() {
      if (places_.limit_ > 0 && places_.taken_ == places_.limit_) {
        at_ = places_.waiting_.insert(places_.waiting_.end(), this);
        state_ = State::kWaiting;
        return false;
      }
      Has();
      return true;
    }

    // Gives it to the next, or waits for it no longer.
    void Leave() {
      switch (std::exchange(state_, State::kNone)) {
        case State::kNone:
          return;
        case State::kWaiting:
          places_.waiting_.erase(at_);
          return;
        case State::kHas:
          --places_.taken_;
          if (places_.waiting_.empty()) return;
          Place* const next = places_.waiting_.front();
          places_.waiting_.pop_front();
          next->Has();
          next->granted_();
      }
    }

    bool waiting() const { return state_ == State::kWaiting; }

   private:
    enum class State { kNone, kWaiting, kHas };

    void Has() {
      state_ = State::kHas;
      ++places_.taken_;
    }

    Places& places_;
    absl::AnyInvocable<void()> granted_;
    State state_ = State::kNone;
    std::list<Place*>::iterator at_;  // while it waits
  };

 private:
  const int limit_;
  int taken_ = 0;
  std::list<Place*> waiting_;  // in order of arrival
};

}  // namespace igpt::internal
