// igptd's loops, one per core, each with everything that lives on it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/completion_queue.h"
#include "igpt/client.h"
#include "igpt/options.h"
#include "service/access/callers.h"
#include "service/access/entry.h"
#include "service/api/api.h"
#include "service/observe/metrics.h"
#include "service/rpc/call.h"
#include "service/rpc/loop.h"

namespace igptd {

// Members are destroyed in reverse order.
struct Worker {
  explicit Worker(const EntryRules& rules) : entry(rules) {}

  Entry entry;
  rpc::CallEnvironment environment;  // for calls to igptd's own services
  std::unique_ptr<rpc::Loop> loop;
  std::unique_ptr<igpt::Client> client;
  std::unique_ptr<Api> api;
};

// How calls to igptd's own services are handled.
struct CallSettings {
  absl::Duration heartbeat_interval;  // zero: off
  absl::Duration stalled_reader_timeout;
  bool forward_faults = false;                              // pass the metadata x-sandbox-fault on
  std::function<void(const CallRecord&)> on_call_finished;  // runs on the loops' threads; must not block
};

class Workers {
 public:
  // Starts a loop with an iGPT client for each usable core. Returns INVALID_ARGUMENT for options that the SDK rejects.
  // `rules` and `metrics` must outlive this.
  absl::Status Start(const igpt::Options& client, const CallSettings& settings, const EntryRules& rules,
                     Metrics& metrics);

  // Starts accepting calls. Call it once.
  void Accept(ApiServices& services, const CallSettings& settings, grpc::ServerCompletionQueue* incoming);

  // In the order in which they were started; at least one.
  std::vector<std::unique_ptr<Worker>>& all() { return workers_; }

  // Makes every loop run `function` soon.
  void Post(const std::function<void(Worker&)>& function);
  // The same, and waits until all have run it. Returns false if one has not within `limit`; it still will. Must not be
  // called on a loop's thread.
  bool Ask(absl::Duration limit, const std::function<void(Worker&)>& function);

  // Totals over all loops.
  struct Load {
    size_t calls = 0;
    size_t connections = 0;
    size_t operations = 0;  // of gRPC, started and not completed
  };
  Load CountLoad();

  // Applies to new calls.
  absl::Status SetApiKey(const std::string& key);
  void UseCallers(const Callers& callers);

 private:
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace igptd
