#include "tests/hostile/hostile_connections.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/time/time.h"

namespace igpt::testing {
namespace {

// Queues `step` and sends, again and again.
std::function<void(Http2Client&, const std::atomic<bool>&)> Repeat(std::function<void(Http2Client&)> step) {
  return [step = std::move(step)](Http2Client& client, const std::atomic<bool>& over) {
    while (!over && !client.ended()) {
      for (int i = 0; i < 500; ++i) step(client);
      if (!client.Flush(absl::Seconds(1))) return;
    }
  };
}

constexpr uint8_t kDataFrame = 0;
constexpr uint8_t kHeadersFrame = 1;
constexpr uint8_t kPriorityFrame = 2;
constexpr uint8_t kSettingsFrame = 4;
constexpr uint8_t kWindowUpdateFrame = 8;
constexpr uint8_t kContinuationFrame = 9;

}  // namespace

std::vector<HostileConnection> HostileConnections() {
  std::vector<HostileConnection> attacks;
  const auto resets = [](const char* path) {
    return Repeat([path](Http2Client& client) { client.Reset(client.Open(path)); });
  };
  attacks.push_back({"calls that are reset at once", resets(kAskPath)});
  attacks.push_back({"unknown methods that are reset", resets("/a.B/C")});
  attacks.push_back({"watches that are reset", resets("/grpc.health.v1.Health/Watch")});
  attacks.push_back(
      {"unknown methods", Repeat([](Http2Client& client) { client.Message(client.Open("/a.B/C"), ""); })});
  attacks.push_back({"health checks", Repeat([](Http2Client& client) {
                       client.Message(client.Open("/grpc.health.v1.Health/Check"), "");
                     })});
  attacks.push_back({"calls without a request", Repeat([](Http2Client& client) { client.Open(kAskPath); })});
  attacks.push_back({"calls without a request, settings unknown",
                     Repeat([](Http2Client& client) { client.Open(kAskPath); }),
                     {.acknowledge_settings = false}});
  attacks.push_back({"bytes one by one", [](Http2Client& client, const std::atomic<bool>& over) {
                       const uint32_t stream = client.Open(kAskPath);
                       client.Data(stream, std::string("\0\0\x3F\0\0", 5));
                       Repeat([stream](Http2Client& each) { each.Frame(kDataFrame, 0, stream, "x"); })(client, over);
                     }});
  attacks.push_back({"empty data", [](Http2Client& client, const std::atomic<bool>& over) {
                       const uint32_t stream = client.Open(kAskPath);
                       Repeat([stream](Http2Client& each) { each.Frame(kDataFrame, 0, stream, ""); })(client, over);
                     }});
  attacks.push_back({"pings", Repeat([](Http2Client& client) { client.Ping(); })});
  attacks.push_back({"settings", Repeat([](Http2Client& client) {
                       client.Frame(kSettingsFrame, 0, 0, std::string("\0\5\0\0\x40\0", 6));
                     })});
  attacks.push_back({"window updates", Repeat([](Http2Client& client) {
                       client.Frame(kWindowUpdateFrame, 0, 0, std::string("\0\0\0\1", 4));
                     })});
  attacks.push_back({"priorities", Repeat([](Http2Client& client) {
                       client.Frame(kPriorityFrame, 0, 1, std::string("\0\0\0\0\1", 5));
                     })});
  attacks.push_back({"headers without end",
                     [](Http2Client& client, const std::atomic<bool>& over) {
                       std::string fields;
                       for (int i = 0; i < 3000; ++i) fields.append("\0\1a\1b", 5);
                       client.Frame(kHeadersFrame, 0, 1, "\x83\x86");
                       while (!over && !client.ended()) {
                         client.Frame(kContinuationFrame, 0, 1, fields);
                         if (!client.Flush(absl::Seconds(1))) return;
                       }
                     },
                     {.acknowledge_settings = false}});
  attacks.push_back({"messages far too large", [](Http2Client& client, const std::atomic<bool>& over) {
                       const uint32_t stream = client.Open(kAskPath);
                       client.Data(stream, std::string("\0\x20\0\0\0", 5));
                       const std::string chunk(16'384, 'x');
                       while (!over && !client.ended()) {
                         if (!client.Await([&] { return client.SendWindow(stream) >= 16'384; }, absl::Seconds(1)))
                           return;
                         client.Data(stream, chunk);
                       }
                     }});
  attacks.push_back({"connections that only open", [](Http2Client& client, const std::atomic<bool>& /*over*/) {
                       (void)client.Flush(absl::Seconds(1));
                     }});
  return attacks;
}

}  // namespace igpt::testing
