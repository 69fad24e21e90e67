// igptd's loops, one per core, each with everything that lives on it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "igpt/client.h"
#include "igpt/options.h"
#include "service/access/callers.h"
#include "service/access/entry.h"
#include "service/api/api.h"
#include "service/observe/call_spans.h"
#include "service/observe/metrics.h"
#include "service/rpc/call.h"
#include "service/rpc/loop.h"
#include "service/rpc/method.h"
#include "service/standard/standard_services.h"

namespace igptd {

// Members are destroyed in reverse order.
struct Worker {
  explicit Worker(const EntryRules& rules) : entry(rules) {}

  Entry entry;
  rpc::CallEnvironment environment;  // for calls to igptd's own services
  rpc::Methods methods;
  std::unique_ptr<Api> api;
  std::unique_ptr<StandardServices> standard;
  std::unique_ptr<rpc::Loop> loop;
  std::optional<igpt::Client> client;
};

// How calls to igptd's own services are handled.
struct CallSettings {
  absl::Duration heartbeat_interval;  // zero: off
  absl::Duration stalled_reader_timeout;
  bool forward_faults = false;                              // pass the metadata x-sandbox-fault on
  bool channelz = false;                                    // serve grpc.channelz.v1.Channelz
  std::function<void(const CallRecord&)> on_call_finished;  // runs on the loops' threads; must not block
  const CallSpans* spans = nullptr;                         // must outlive the loops; null: none are exported
};

class Workers {
 public:
  // Starts a loop with an iGPT client for each usable core, which serves the calls that are given to it. Returns
  // INVALID_ARGUMENT for options that the SDK rejects. `rules`, `rooms` and `metrics` must outlive this.
  absl::Status Start(const igpt::Options& client, const CallSettings& settings, const EntryRules& rules,
                     StandardRooms& rooms, Metrics& metrics);

  // What health checks report, and the end of health watches: see Health. Thread-safe.
  void SetServing(bool serving);
  void EndWatches();

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
    size_t operations = 0;  // of gRPC, started and not completed
  };
  Load CountLoad();

  // Applies to new calls.
  absl::Status SetApiKey(const std::string& key);
  absl::Status UseIgptAuthorities(const std::string& pem);
  void UseCallers(const Callers& callers);

 private:
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace igptd
