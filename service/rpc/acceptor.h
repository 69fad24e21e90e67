// Takes calls from gRPC, whatever their method, and hands each to its loop.
//
// gRPC 1.51 reads a connection for as long as data arrives on it, on the thread that found it readable. So a connection
// that floods would keep the one thread that polls from all others. Therefore spare threads stand by, and each polls
// while the one before it is kept busy. In calm times they poll nothing: if several threads did, each event would be
// handed from one to the next through a futex.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/async_generic_service.h"
#include "igpt/monotonic_time.h"
#include "service/edge/connections.h"
#include "service/rpc/incoming_call.h"

namespace igptd::rpc {

class Acceptor {
 public:
  // `queue` is the server's, with which `service` is registered. `connections` must outlive this.
  Acceptor(grpc::AsyncGenericService& service, std::unique_ptr<grpc::ServerCompletionQueue> queue,
           const Connections& connections);
  // Waits until gRPC has given back all calls that were requested. The server must have been shut down.
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Starts taking calls for these loops, in turns. They must outlive this. Call it once.
  void Start(const std::vector<Loop*>& loops);

  // Something arrives on the connections: for a while, the spare threads watch the others. Thread-safe.
  void ExpectTraffic();

 private:
  friend class IncomingCall;

  static constexpr size_t kPollers = 4;
  struct Poller {
    std::atomic<uint64_t> progress = 0;  // counts what it took from the queue
    std::thread thread;
  };

  void OnAccepted(std::unique_ptr<IncomingCall> call, bool ok);
  void Request(Loop& loop);
  void Poll(Poller& poller);
  void StandBy(const Poller& watched, Poller& spare);
  // Polls for a moment. Returns false if nothing came.
  bool PollOnce();
  // Until there may be traffic, and then for a moment. Returns false if there won't be any.
  bool AwaitTraffic();

  grpc::AsyncGenericService& service_;
  const std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  const Connections& connections_;
  std::array<Poller, kPollers> pollers_;

  std::mutex requesting_;
  bool stopped_ = false;  // guarded by requesting_: the queue takes no more requests

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;                                                    // guarded by mutex_
  igpt::MonotonicTime traffic_until_ = igpt::MonotonicTime::InfinitePast();  // guarded by mutex_
};

}  // namespace igptd::rpc
