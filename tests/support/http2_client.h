// An HTTP/2 client that can misbehave: it sends exactly the frames that a test makes.
//
//   Http2Client client(igptd.process->address(), {.acknowledge_settings = false});
//   const uint32_t stream = client.Open(kAskPath, {{"x-large", std::string(9000, 'a')}});
//   client.Message(stream, request.SerializeAsString());
//   ASSERT_TRUE(client.Await([&] { return client.EndOf(stream) != nullptr; }));
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "igpt/testing/event.h"
#include "igpt/testing/internal/unique_fd.h"

namespace igpt::testing {

inline constexpr char kAskPath[] = "/igpt.v1.RecallService/Ask";

// Not thread-safe. Flush and Await send what is queued and read what the server sends; in between, nothing is read.
class Http2Client {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  struct Behaviour {
    bool acknowledge_settings = true;
    bool answer_pings = true;
    // How much the server may send on one stream, and on all together, before it has to wait.
    uint32_t stream_window = 65'535;
    uint32_t connection_window = 65'535;
    // The loopback address that it connects from. To igptd each is another caller, and gRPC's clients are 127.0.0.1.
    std::string source = "127.0.0.2";
  };

  // How a stream ended.
  struct End {
    std::optional<int> grpc_status;
    std::string trailers;           // the undecoded header block that held the status
    std::optional<uint32_t> reset;  // RST_STREAM's code
    int end_streams = 0;            // frames that end the stream: with END_STREAM
    int resets = 0;                 // RST_STREAM frames
  };

  // Connects and sends the client's preface. If the server refuses or resets the connection at once, it has ended.
  explicit Http2Client(const std::string& address);
  Http2Client(const std::string& address, const Behaviour& behaviour);

  // Queue frames. Open starts a call and returns its stream.
  uint32_t Open(std::string_view path, const Headers& metadata = {});
  // A whole message, the last of its stream. It must fit into a frame and, unless that is the attack, into the windows.
  // `flag` is the byte before its length: 0, or 1 for a compressed message.
  void Message(uint32_t stream, std::string_view message, uint8_t flag = 0);
  void Data(uint32_t stream, std::string_view bytes);
  void EndStream(uint32_t stream);
  void Reset(uint32_t stream);
  void Ping();
  void Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload);

  // Sends what is queued. Returns false if the connection is gone or `limit` passes first.
  bool Flush(absl::Duration limit = kWaitLimit);
  // Reads and answers what the server sends until `condition` is true. Returns false as Flush does.
  bool Await(const std::function<bool()>& condition, absl::Duration limit = kWaitLimit);

  // From now on the kernel drops what the server sends, unacknowledged, as if this machine had lost its power.
  void Vanish();

  // What the server did.
  bool ended() const { return ended_; }  // the connection
  const End* EndOf(uint32_t stream) const;
  const std::map<uint32_t, End>& ends() const { return ends_; }  // by stream
  std::optional<uint32_t> goaway() const { return goaway_; }
  size_t pongs() const { return pongs_; }
  size_t data_bytes() const { return data_bytes_; }
  size_t sent_bytes() const { return sent_total_; }
  // How many bytes of DATA may be sent on the stream now.
  int64_t SendWindow(uint32_t stream) const;

 private:
  bool Pump(const std::function<bool()>& done, bool read, absl::Duration limit);
  void Receive();
  void OnFrame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload);
  void OnHeaders(uint32_t stream, bool last, std::string_view block);

  const Behaviour behaviour_;
  UniqueFd socket_;
  std::string out_;
  size_t sent_ = 0;        // bytes of out_
  size_t sent_total_ = 0;  // bytes of all
  std::string in_;
  bool ended_ = false;
  uint32_t next_stream_ = 1;
  std::string indexed_path_;  // the path in HPACK's dynamic table, with the headers of every call
  std::map<uint32_t, End> ends_;
  std::optional<uint32_t> goaway_;
  size_t pongs_ = 0;
  size_t data_bytes_ = 0;
  int64_t initial_window_ = 65'535;
  int64_t connection_window_ = 65'535;
  std::map<uint32_t, int64_t> window_changes_;  // by stream, relative to the initial window
};

}  // namespace igpt::testing
