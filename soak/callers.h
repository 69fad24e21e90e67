// The callers of a soak: threads that make one planned call after the other and record what they got.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "igpt/monotonic_time.h"
#include "igpt/v1/recall.grpc.pb.h"
#include "soak/history.h"
#include "soak/plan.h"

namespace igpt::soak {

// Cancels running calls at given times. Thread-safe.
class Canceller {
 public:
  Canceller();
  ~Canceller();

  void Begin(uint32_t call, grpc::ClientContext& context);
  // The canceller doesn't use the context any more. Returns when the call was cancelled, if it was.
  std::optional<MonotonicTime> End(uint32_t call);

  // Both do nothing if the call has ended by then or was cancelled before.
  void Cancel(uint32_t call);
  void CancelAt(uint32_t call, MonotonicTime time);

  // Waits until the call has been cancelled. Returns false if `limit` passes first.
  bool AwaitCancelled(uint32_t call, absl::Duration limit);

 private:
  struct Pending {
    grpc::ClientContext* context = nullptr;
    std::optional<MonotonicTime> cancelled_at;
  };

  void Work();
  void CancelLocked(uint32_t call);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint32_t, Pending> pending_;
  std::multimap<MonotonicTime, uint32_t> timers_;
  bool stopping_ = false;
  std::thread worker_;
};

class Callers {
 public:
  // `target`: the address to call. Most calls share a few connections.
  Callers(uint64_t seed, std::string target, Recorder& recorder);

  // The upstream has reached the moment that the call's cancel may wait for. Thread-safe.
  void OnMoment(uint32_t call);

  // Makes calls until `until`, and returns when all have ended.
  void Run(int threads, MonotonicTime until);

  // How many calls have ended, and the violations in what they received. Thread-safe.
  uint64_t ended() const { return ended_; }
  uint64_t violations() const { return violations_; }

 private:
  void RunCall(const CallPlan& plan, const std::shared_ptr<grpc::Channel>& shared);
  // `start`: the stub's Ask or Run.
  template <typename Request, typename Response>
  void Ask(std::unique_ptr<grpc::ClientReader<Response>> (igpt::v1::RecallService::Stub::*start)(grpc::ClientContext*,
                                                                                                 const Request&),
           const CallPlan& plan, grpc::ClientContext& context, const std::shared_ptr<grpc::Channel>& channel,
           CallRecord& record);

  const uint64_t seed_;
  const std::string target_;
  Recorder& recorder_;
  Canceller canceller_;
  std::atomic<uint32_t> next_ = 0;
  std::atomic<uint64_t> ended_ = 0;
  std::atomic<uint64_t> violations_ = 0;
};

}  // namespace igpt::soak
