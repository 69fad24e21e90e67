// The closed loop: keeps a number of calls in flight and measures them for a while.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/connection.h"
#include "bench/load/grpc_connection.h"
#include "bench/load/options.h"
#include "bench/load/request.h"
#include "bench/load/results.h"

namespace igpt::bench {

class Load {
 public:
  explicit Load(const Options& options);
  ~Load();

  // Throws std::runtime_error if not all calls get their first event in time.
  Results Run();

 private:
  class Slot;
  class SlowReader;
  enum class Phase { kOpening, kWarmup, kMeasuring, kDone };

  std::unique_ptr<Connection> Connect();
  // Starts the calls that are due: the first ones, and those that wait for their turn (--every_ms) or after a failed
  // connection.
  void StartDue(int64_t now);
  void StartCall(Slot& slot);
  void RunOnce();
  // Enters the next phase when it is time.
  void Advance(int64_t now);
  int64_t NextWake(int64_t now) const;

  const Options options_;
  const int64_t period_;
  const Endpoint endpoint_;
  const GrpcRequest grpc_request_;
  const GrpcRequest slow_request_;
  const std::string http_request_;
  testing::UniqueFd epoll_;

  std::vector<std::unique_ptr<Connection>> connections_;  // slot i uses connection i modulo their number
  std::list<std::unique_ptr<Connection>> retired_;        // replaced connections, until their last call ends
  std::vector<Connection*> unflushed_;
  Connection* current_ = nullptr;  // the one that is reading, and flushes by itself after that
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::unique_ptr<SlowReader>> slow_readers_;
  std::multimap<int64_t, Slot*> waiting_;  // by the time to start it at

  Phase phase_ = Phase::kOpening;
  int64_t opening_since_ = 0;
  size_t opened_ = 0;      // slots that have started a call
  size_t ready_ = 0;       // slots that have had a message, or whose first call has ended
  int64_t phase_end_ = 0;  // for kOpening: when it counts as failed
  double cpu_before_ = 0;
  int64_t measuring_since_ = 0;
  Results results_;
};

}  // namespace igpt::bench
