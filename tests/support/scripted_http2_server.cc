#include "tests/support/scripted_http2_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "igpt/internal/base/signals_blocked.h"
#include "igpt/testing/internal/must.h"
#include "tests/support/certificate.h"

namespace igpt::testing {
namespace {

sockaddr* AsSockaddr(sockaddr_in* address) {
  return reinterpret_cast<sockaddr*>(address);
}

// A protocol, as TLS lists it.
std::string Listed(const std::string& protocol) {
  return protocol.empty() ? "" : std::string(1, static_cast<char>(protocol.size())) + protocol;
}

}  // namespace

class ScriptedHttp2Server::Impl {
 public:
  Impl(ScriptedHttp2Server& server, Http2Settings settings, const std::string& protocol);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // Runs a step on a connection that has not ended, and the thread then looks at it again.
  void With(int connection, const std::function<void(Http2Connection&)>& step) {
    {
      const std::lock_guard lock(mutex_);
      Http2Connection& peer = *peers_[static_cast<size_t>(connection) - 1]->connection;
      if (!peer.ended()) step(peer);
    }
    Wake();
  }

  void Wake() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  }

  // A connection, and what its peer did.
  struct Peer final : Http2Connection::Observer {
    Peer(Impl& impl, int its_number, UniqueFd socket)
        : owner(impl),
          number(its_number),
          connection(std::make_unique<Http2Connection>(std::move(socket), *impl.tls_, impl.settings_, *this)) {}
    void OnHead(int32_t stream) override { owner.requests_.push_back({owner.server_, number, stream}); }
    void OnWhole(int32_t stream) override { owner.whole_.push_back({owner.server_, number, stream}); }
    void OnReset(int32_t stream, uint32_t code) override { resets[stream] = code; }
    void OnPong() override { ++owner.pongs_; }

    Impl& owner;
    const int number;
    std::map<int32_t, uint32_t> resets;
    const std::unique_ptr<Http2Connection> connection;
  };

  // OpenSSL's callback, with mutex_ held: chooses the one protocol if the peer offers it.
  static int ChooseProtocol(SSL* /*tls*/, const unsigned char** out, unsigned char* out_size,
                            const unsigned char* offered, unsigned int offered_size, void* self) {
    Impl& impl = *static_cast<Impl*>(self);
    impl.offered_.assign(reinterpret_cast<const char*>(offered), offered_size);
    const auto* own = reinterpret_cast<const unsigned char*>(impl.protocols_.data());
    return SSL_select_next_proto(const_cast<unsigned char**>(out), out_size, own,
                                 static_cast<unsigned int>(impl.protocols_.size()), offered,
                                 offered_size) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
  }

  void Run();
  void Accept();
  // Calls the handlers of the requests that are whole. Without the lock.
  void Handle();

  ScriptedHttp2Server& server_;
  const Http2Settings settings_;
  const std::string protocols_;  // as in TLS
  const Authority authority_ = Authority("igpt");
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls_;
  UniqueFd listener_;
  int port_ = 0;
  UniqueFd wake_;
  std::thread thread_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Guarded by mutex_.
  bool stopping_ = false;
  Handler on_request_;
  std::deque<Handler> queued_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<Http2Stream> requests_;
  std::vector<Http2Stream> whole_;  // that have no handler yet
  int pongs_ = 0;
  std::string offered_;
};

ScriptedHttp2Server::Impl::Impl(ScriptedHttp2Server& server, Http2Settings settings, const std::string& protocol)
    : server_(server),
      settings_(std::move(settings)),
      protocols_(Listed(protocol)),
      tls_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free),
      listener_(Must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket")),
      wake_(Must(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  const Identity identity = authority_.Issue();
  SSL_CTX_use_certificate(tls_.get(), identity.certificate.get());
  SSL_CTX_use_PrivateKey(tls_.get(), identity.key.get());
  SSL_CTX_set_alpn_select_cb(tls_.get(), &Impl::ChooseProtocol, this);
  sockaddr_in address = {.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof address;
  Must(::bind(listener_.get(), AsSockaddr(&address), size), "bind");
  Must(::getsockname(listener_.get(), AsSockaddr(&address), &size), "getsockname");
  port_ = ntohs(address.sin_port);
  Must(::listen(listener_.get(), SOMAXCONN), "listen");
  const internal::SignalsBlocked blocked;
  thread_ = std::thread([this] { Run(); });
}

ScriptedHttp2Server::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
}

void ScriptedHttp2Server::Impl::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::vector<pollfd> polled = {{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    for (const auto& peer : peers_) {
      const Http2Connection& connection = *peer->connection;
      const short events = POLLIN | (connection.wants_to_write() ? POLLOUT : 0);  // NOLINT(google-runtime-int)
      polled.push_back({connection.frozen() ? -1 : connection.fd(), events, 0});
    }
    lock.unlock();
    ::poll(polled.data(), polled.size(), -1);
    uint64_t count;
    [[maybe_unused]] const ssize_t taken = ::read(wake_.get(), &count, sizeof count);
    lock.lock();
    for (size_t i = 2; i < polled.size(); ++i) {
      if (polled[i].revents != 0) peers_[i - 2]->connection->OnReady();
    }
    if (polled[0].revents != 0) Accept();
    changed_.notify_all();
    lock.unlock();
    Handle();
    lock.lock();
  }
}

void ScriptedHttp2Server::Impl::Accept() {
  UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.get() < 0) return;
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  peers_.push_back(std::make_unique<Peer>(*this, static_cast<int>(peers_.size()) + 1, std::move(socket)));
}

void ScriptedHttp2Server::Impl::Handle() {
  std::vector<std::pair<Handler, Http2Stream>> calls;
  {
    const std::lock_guard lock(mutex_);
    for (const Http2Stream& stream : std::exchange(whole_, {})) {
      Handler handler = on_request_;
      if (!queued_.empty()) {
        handler = std::move(queued_.front());
        queued_.pop_front();
      }
      if (handler) calls.emplace_back(std::move(handler), stream);
    }
  }
  for (const auto& [handler, stream] : calls) handler(stream);
}

ScriptedHttp2Server::ScriptedHttp2Server(Http2Settings settings, std::string protocol)
    : impl_(std::make_unique<Impl>(*this, std::move(settings), protocol)) {}

ScriptedHttp2Server::~ScriptedHttp2Server() = default;

std::string ScriptedHttp2Server::url(std::string_view path) const {
  return ("https://127.0.0.1:" + std::to_string(impl_->port_)).append(path);
}

std::string ScriptedHttp2Server::authority() const {
  return impl_->authority_.Pem();
}

void ScriptedHttp2Server::OnRequest(Handler handler) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->on_request_ = std::move(handler);
}

void ScriptedHttp2Server::OnNextRequest(Handler handler) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->queued_.push_back(std::move(handler));
}

std::vector<Http2Stream> ScriptedHttp2Server::requests() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->requests_;
}

int ScriptedHttp2Server::connections() const {
  const std::lock_guard lock(impl_->mutex_);
  return static_cast<int>(impl_->peers_.size());
}

std::string ScriptedHttp2Server::offered() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->offered_;
}

bool ScriptedHttp2Server::closed(int connection) const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->peers_[static_cast<size_t>(connection) - 1]->connection->ended();
}

std::optional<uint32_t> ScriptedHttp2Server::reset(const Http2Stream& stream) const {
  const std::lock_guard lock(impl_->mutex_);
  const auto& resets = impl_->peers_[static_cast<size_t>(stream.connection()) - 1]->resets;
  const auto found = resets.find(stream.id());
  return found == resets.end() ? std::nullopt : std::optional(found->second);
}

int ScriptedHttp2Server::pongs() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->pongs_;
}

bool ScriptedHttp2Server::Await(const std::function<bool()>& condition, absl::Duration limit) const {
  const absl::Time deadline = absl::Now() + limit;
  while (!condition()) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    std::unique_lock lock(impl_->mutex_);
    // It may have changed between the look and the wait.
    impl_->changed_.wait_for(lock, absl::ToChronoMilliseconds(std::min(left, absl::Milliseconds(20))));
  }
  return true;
}

bool ScriptedHttp2Server::AwaitRequests(size_t count) const {
  return Await([&] { return requests().size() >= count; });
}

bool ScriptedHttp2Server::AwaitReset(const Http2Stream& stream) const {
  return Await([&] { return reset(stream).has_value(); });
}

bool ScriptedHttp2Server::AwaitClosed(int connection) const {
  return Await([&] { return closed(connection); });
}

void Http2Stream::With(const std::function<void(Http2Connection&)>& step) const {
  server_->impl_->With(connection_, step);
}

Http2Connection::Stream Http2Stream::request() const {
  const std::lock_guard lock(server_->impl_->mutex_);
  return server_->impl_->peers_[static_cast<size_t>(connection_) - 1]->connection->stream(id_);
}

size_t Http2Stream::Unsent() const {
  size_t unsent = 0;
  With([&](Http2Connection& connection) { unsent = connection.Unsent(id_); });
  return unsent;
}

std::string Http2Stream::Header(std::string_view name) const {
  for (const auto& [its_name, value] : request().headers) {
    if (its_name == name) return value;
  }
  return "";
}

void Http2Stream::SendHead(int status, const HttpHeaders& headers, bool end) const {
  With([&](Http2Connection& connection) { connection.Head(id_, status, headers, end); });
}

void Http2Stream::SendInterim(int status) const {
  With([&](Http2Connection& connection) { connection.Interim(id_, status); });
}

void Http2Stream::Send(std::string_view bytes, bool end) const {
  With([&](Http2Connection& connection) { connection.Data(id_, bytes, end); });
}

void Http2Stream::Answer(int status, std::string_view body) const {
  SendHead(status, {{"content-type", "application/json"}, {"content-length", std::to_string(body.size())}});
  Send(body, /*end=*/true);
}

void Http2Stream::Reset(uint32_t code) const {
  With([&](Http2Connection& connection) { connection.Reset(id_, code); });
}

void Http2Stream::GoAway(int32_t last_stream, uint32_t code) const {
  With([&](Http2Connection& connection) { connection.GoAway(last_stream, code); });
}

void Http2Stream::Ping() const {
  With([](Http2Connection& connection) { connection.Ping(); });
}

void Http2Stream::Settings(const Http2Settings& settings) const {
  With([&](Http2Connection& connection) { connection.Settings(settings); });
}

void Http2Stream::Freeze() const {
  With([](Http2Connection& connection) { connection.Freeze(); });
}

void Http2Stream::Close() const {
  With([](Http2Connection& connection) { connection.Close(/*reset=*/false); });
}

void Http2Stream::Cut() const {
  With([](Http2Connection& connection) { connection.Close(/*reset=*/true); });
}

}  // namespace igpt::testing
