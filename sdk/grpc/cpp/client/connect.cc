#include "client/connect.h"

#include <grpcpp/create_channel.h>

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "client/deadline.h"
#include "terminal/progress_line.h"

namespace {

// igptd limits answers to 16 MiB, unless it is told otherwise. An answer may be there three times: in its fields, in
// the `raw_json` of its parts, and in its own. gRPC's default is 4 MiB.
constexpr int kMaxReceiveBytes = 64 << 20;

// How long to wait for an igptd that is still starting.
constexpr absl::Duration kConnectTimeout = absl::Seconds(60);
// After this long, print what we are waiting for.
constexpr absl::Duration kConnectPatience = absl::Seconds(1);
// How often to check for Ctrl-C meanwhile.
constexpr absl::Duration kConnectInterval = absl::Milliseconds(100);

grpc::ChannelArguments Arguments(const CommonFlags& flags) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  // Notices within 30 s that igptd or the way to it is gone, even if no packet says so. igptd allows a ping every 10 s.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // no limit
  // Finds a server that is starting at once, not after gRPC's growing backoff.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // A proxy of the environment (http_proxy) would send what is for this machine, a token too, elsewhere.
  if (IsLoopback(flags.server)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

void Await(grpc::Channel& channel, const CommonFlags& flags, const Interrupt& interrupt) {
  ProgressLine progress;
  const gpr_timespec patience = DeadlineAfter(kConnectPatience);
  const gpr_timespec end = DeadlineAfter(std::min(kConnectTimeout, flags.timeout));
  bool told = false;
  while (!channel.WaitForConnected(gpr_time_min(DeadlineAfter(kConnectInterval), end))) {
    if (interrupt.happened() || HasPassed(end)) return;
    if (told || !HasPassed(patience)) continue;
    told = true;
    progress.Show(absl::StrCat("waiting for igptd at ", flags.server, " …"));
  }
}

}  // namespace

std::shared_ptr<grpc::Channel> Connect(const CommonFlags& flags, const Credentials& credentials,
                                       const Interrupt& interrupt) {
  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(flags.server, credentials.channel, Arguments(flags));
  Await(*channel, flags, interrupt);
  return channel;
}
