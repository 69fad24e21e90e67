#include "bench/load/grpc_connection.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <utility>

#include "bench/load/clock.h"

namespace igpt::bench {
namespace {

constexpr int32_t kConnectionWindow = 64 << 20;
constexpr int32_t kStreamWindow = 1 << 20;

// nghttp2 doesn't write to them, and they outlive the connection.
nghttp2_nv Header(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

std::string_view Text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

int ParseInt(std::string_view text) {
  int number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

// The callbacks for nghttp2.
struct GrpcConnection::Callbacks {
  static GrpcConnection& Self(void* connection) { return *static_cast<GrpcConnection*>(connection); }

  static ssize_t ReadRequest(nghttp2_session*, int32_t, uint8_t* buffer, size_t size, uint32_t* flags,
                             nghttp2_data_source* source, void* connection) {
    auto* stream = static_cast<Stream*>(source->ptr);
    const std::string_view rest = std::string_view(Self(connection).request_.message).substr(stream->sent);
    size = std::min(size, rest.size());
    std::memcpy(buffer, rest.data(), size);
    stream->sent += size;
    if (size == rest.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void*) {
    const std::string_view header = Text(name, name_size);
    if (header != ":status" && header != "grpc-status") return 0;
    auto* stream = static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
    if (stream == nullptr) return 0;
    (header == ":status" ? stream->http_status : stream->grpc_status) = ParseInt(Text(value, value_size));
    return 0;
  }

  static int OnData(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* data, size_t size, void* connection) {
    auto* stream = static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
    if (stream == nullptr) return 0;
    const GrpcConnection& self = Self(connection);
    stream->messages.Read(Text(data, size), [&](std::string_view message) {
      const Event event = self.request_.is_ask ? ReadAskResponse(message) : Event{};
      stream->call->OnMessage(event, message.size(), self.now_);
    });
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* connection) {
    if (frame->hd.type == NGHTTP2_GOAWAY) Self(connection).going_away_ = true;
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, int32_t id, uint32_t error, void* connection) {
    Self(connection).FinishStream(id, error);
    return 0;
  }
};

GrpcConnection::GrpcConnection(const Endpoint& endpoint, int epoll, const GrpcRequest& request, Windows windows)
    : Connection(endpoint, epoll), request_(request) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::OnStreamClose);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  if (windows == Windows::kFixed) nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_session* session = nullptr;
  nghttp2_session_client_new2(&session, callbacks, this, option);
  session_.reset(session);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);

  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                             {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow}};
  const bool large = windows == Windows::kLarge;
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, large ? std::size(settings) : 1);
  if (large) nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

void GrpcConnection::Start(Call& call) {
  const nghttp2_nv headers[] = {Header(":method", "POST"),         Header(":scheme", request_.scheme),
                                Header(":path", request_.path),    Header(":authority", request_.authority),
                                Header("te", "trailers"),          Header("content-type", "application/grpc"),
                                Header("user-agent", "bench_load")};
  const auto id = static_cast<int32_t>(nghttp2_session_get_next_stream_id(session_.get()));
  Stream& stream = streams_.emplace(id, Stream{.call = &call, .messages = {}}).first->second;
  nghttp2_data_provider body = {};
  body.source.ptr = &stream;
  body.read_callback = Callbacks::ReadRequest;
  nghttp2_submit_request(session_.get(), nullptr, headers, std::size(headers), &body, &stream);
}

bool GrpcConnection::Receive(std::string_view bytes, int64_t now) {
  now_ = now;
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  return nghttp2_session_mem_recv(session_.get(), data, bytes.size()) == static_cast<ssize_t>(bytes.size());
}

void GrpcConnection::Produce(std::string& out) {
  const uint8_t* data = nullptr;
  for (ssize_t size = 0; (size = nghttp2_session_mem_send(session_.get(), &data)) > 0;) {
    out += Text(data, static_cast<size_t>(size));
  }
}

void GrpcConnection::FailCalls(int64_t now) {
  for (auto& [id, stream] : std::exchange(streams_, {})) stream.call->OnDone(kConnectionFailed, now);
}

void GrpcConnection::FinishStream(int32_t id, uint32_t error) {
  const auto found = streams_.extract(id);
  if (found.empty()) return;
  const Stream& stream = found.mapped();
  if (stream.grpc_status == 0) {
    stream.call->OnDone("", now_);
  } else if (stream.grpc_status > 0) {
    stream.call->OnDone(std::to_string(stream.grpc_status), now_);
  } else if (going_away_ && error == NGHTTP2_REFUSED_STREAM) {
    stream.call->OnNotTaken();
  } else if (stream.http_status != 0 && stream.http_status != 200) {
    stream.call->OnDone("http " + std::to_string(stream.http_status), now_);
  } else {
    stream.call->OnDone("reset", now_);
  }
}

}  // namespace igpt::bench
