#include "tests/support/http2_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace igpt::testing {
namespace {

nghttp2_nv Field(std::string_view name, std::string_view value) {
  return {.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          .value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

Http2Connection::Http2Connection(UniqueFd socket, SSL_CTX& tls, const Http2Settings& settings, Observer& observer)
    : socket_(std::move(socket)),
      tls_(SSL_new(&tls), SSL_free),
      observer_(observer),
      opens_windows_(std::none_of(settings.begin(), settings.end(), [](const nghttp2_settings_entry& entry) {
        return entry.settings_id == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE;
      })) {
  SSL_set_fd(tls_.get(), socket_.get());
  SSL_set_accept_state(tls_.get());
  SSL_set_mode(tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  SetCallbacks(callbacks);
  nghttp2_option* options = nullptr;
  nghttp2_option_new(&options);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_session_server_new2(&session_, callbacks, this, options);
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
}

Http2Connection::~Http2Connection() {
  nghttp2_session_del(session_);
}

void Http2Connection::SetCallbacks(nghttp2_session_callbacks* callbacks) {
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                    const uint8_t* value, size_t value_size, uint8_t, void* user) {
        Self(user).streams_[frame->hd.stream_id].headers.emplace_back(
            std::string(reinterpret_cast<const char*>(name), name_size),
            std::string(reinterpret_cast<const char*>(value), value_size));
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, [](nghttp2_session*, uint8_t, int32_t stream, const uint8_t* data, size_t size, void* user) {
        Http2Connection& self = Self(user);
        self.streams_[stream].body.append(reinterpret_cast<const char*>(data), size);
        nghttp2_session_consume_connection(self.session_, size);
        if (self.opens_windows_) nghttp2_session_consume_stream(self.session_, stream, size);
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                       [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
                                                         Self(user).OnFrame(*frame);
                                                         return 0;
                                                       });
}

void Http2Connection::OnFrame(const nghttp2_frame& frame) {
  const int32_t stream = frame.hd.stream_id;
  const bool ack = (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0;
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      observer_.OnHead(stream);
      break;
    case NGHTTP2_RST_STREAM:
      observer_.OnReset(stream, frame.rst_stream.error_code);
      return;
    case NGHTTP2_PING:
      if (ack) observer_.OnPong();
      return;
    case NGHTTP2_DATA:
      break;
    default:
      return;
  }
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  streams_[stream].whole = true;
  observer_.OnWhole(stream);
}

void Http2Connection::OnReady() {
  if (frozen_ || ended()) return;
  Receive();
  Flush();
}

void Http2Connection::Receive() {
  std::array<uint8_t, 16 << 10> buffer;
  while (!ended()) {
    const int size = SSL_read(tls_.get(), buffer.data(), buffer.size());
    if (size <= 0) {
      const int error = SSL_get_error(tls_.get(), size);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) Close(/*reset=*/false);
      return;
    }
    if (nghttp2_session_mem_recv(session_, buffer.data(), static_cast<size_t>(size)) < 0) Close(/*reset=*/false);
  }
}

void Http2Connection::Flush() {
  if (frozen_ || ended()) return;
  wants_to_write_ = false;
  while (true) {
    const uint8_t* frame = nullptr;
    if (out_.empty()) {
      const ssize_t size = nghttp2_session_mem_send(session_, &frame);
      if (size <= 0) break;
      out_.assign(reinterpret_cast<const char*>(frame), static_cast<size_t>(size));
    }
    const int sent = SSL_write(tls_.get(), out_.data(), static_cast<int>(out_.size()));
    if (sent > 0) {
      out_.erase(0, static_cast<size_t>(sent));
      continue;
    }
    const int error = SSL_get_error(tls_.get(), sent);
    wants_to_write_ = error == SSL_ERROR_WANT_WRITE;
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) Close(/*reset=*/false);
    return;
  }
  if (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0) Close(/*reset=*/false);
}

ssize_t Http2Connection::ReadOutput(nghttp2_session* /*session*/, int32_t stream, uint8_t* buffer, size_t size,
                                    uint32_t* flags, nghttp2_data_source* /*source*/, void* user) {
  Output& output = Self(user).outputs_[stream];
  const size_t taken = std::min(size, output.bytes.size() - output.sent);
  output.bytes.copy(reinterpret_cast<char*>(buffer), taken, output.sent);
  output.sent += taken;
  if (output.end && output.sent == output.bytes.size()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  } else if (taken == 0) {
    return NGHTTP2_ERR_DEFERRED;
  }
  return static_cast<ssize_t>(taken);
}

void Http2Connection::Head(int32_t stream, int status, const HttpHeaders& headers, bool end) {
  const std::string code = std::to_string(status);
  std::vector<nghttp2_nv> fields = {Field(":status", code)};
  for (const auto& [name, value] : headers) fields.push_back(Field(name, value));
  nghttp2_data_provider provider = {.source = {.ptr = nullptr}, .read_callback = &Http2Connection::ReadOutput};
  nghttp2_submit_response(session_, stream, fields.data(), fields.size(), end ? nullptr : &provider);
  Flush();
}

void Http2Connection::Interim(int32_t stream, int status) {
  const std::string code = std::to_string(status);
  const nghttp2_nv field = Field(":status", code);
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream, nullptr, &field, 1, nullptr);
  Flush();
}

void Http2Connection::Data(int32_t stream, std::string_view bytes, bool end) {
  Output& output = outputs_[stream];
  output.bytes.append(bytes);
  output.end = end;
  nghttp2_session_resume_data(session_, stream);
  Flush();
}

void Http2Connection::Reset(int32_t stream, uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, code);
  Flush();
}

void Http2Connection::GoAway(int32_t last_stream, uint32_t code) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_stream, code, nullptr, 0);
  Flush();
}

void Http2Connection::Ping() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  Flush();
}

void Http2Connection::Settings(const Http2Settings& settings) {
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  Flush();
}

void Http2Connection::Close(bool reset) {
  if (ended()) return;
  if (reset) {
    const linger no_linger = {.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &no_linger, sizeof no_linger);
  }
  socket_.Close();
}

}  // namespace igpt::testing
