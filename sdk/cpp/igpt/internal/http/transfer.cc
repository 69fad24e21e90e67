#include "igpt/internal/http/transfer.h"

#include <cstdlib>
#include <utility>

#include "igpt/internal/base/monotonic.h"
#include "igpt/internal/http/curl_info.h"

namespace igpt::internal {
namespace {

// How much of an error's body is read, so that its connection can be used again.
constexpr size_t kMaxIgnoredBytes = 16 << 10;

curl_slist* Append(curl_slist* list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list, line.c_str());
  if (longer == nullptr) std::abort();  // out of memory
  return longer;
}

long CurlVersion(HttpVersion version) {  // NOLINT(google-runtime-int): libcurl's options are longs
  switch (version) {
    case HttpVersion::kAuto:
      return CURL_HTTP_VERSION_2TLS;
    case HttpVersion::k1_1:
      return CURL_HTTP_VERSION_1_1;
    case HttpVersion::k2:
      return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
  }
  std::abort();
}

}  // namespace

Transfer::Transfer(CurlMulti& multi, Request request, Handler& handler)
    : multi_(multi), request_(std::move(request)), handler_(handler), error_(CURL_ERROR_SIZE), easy_(curl_easy_init()) {
  if (easy_ == nullptr) std::abort();  // out of memory
}

Transfer::~Transfer() {
  if (!running_) return;
  Remove();
  if (local_port_ != 0) multi_.DoubtConnection(local_port_);
}

void Transfer::Remove() {
  multi_.Remove(easy_.get());
  running_ = false;
  if (local_port_ != 0) multi_.sockets().EndUse(local_port_);
}

CURLcode Transfer::Start() {
  if (const CURLcode set = SetOptions(); set != CURLE_OK) return set;
  if (multi_.Add(easy_.get()) != CURLM_OK) return CURLE_FAILED_INIT;
  running_ = true;
  return CURLE_OK;
}

// The first failure, if any. libcurl refuses an option that it was built without, or a text of megabytes.
CURLcode Transfer::SetOptions() {
  for (const std::string& line : request_.headers) headers_.reset(Append(headers_.release(), line));
  headers_.reset(Append(headers_.release(), "Expect:"));  // no 100-continue: it costs a round trip
  for (const std::string& entry : request_.resolve) resolve_.reset(Append(resolve_.release(), entry));

  CURLcode result = CURLE_OK;
  const auto set = [this, &result](CURLoption option, auto value) {
    if (result == CURLE_OK) result = curl_easy_setopt(easy_.get(), option, value);
  };
  // NOLINTBEGIN(google-runtime-int): libcurl's options are longs.
  set(CURLOPT_PRIVATE, static_cast<CurlMulti::Member*>(this));
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");  // ParseBaseUrl allows http for loopback only
  set(CURLOPT_HTTP_VERSION, CurlVersion(request_.http_version));
  set(CURLOPT_PIPEWAIT, request_.wait_to_share ? 1L : 0L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  // "" also turns the environment's variables off: *_proxy, and NO_PROXY, which would lead around ours.
  set(CURLOPT_PROXY, request_.proxy.c_str());
  set(CURLOPT_NOPROXY, "");
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // the proxy's head is not the answer's
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDS, request_.body.data());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  set(CURLOPT_HTTPHEADER, headers_.get());
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(request_.connect_timeout)));
  set(CURLOPT_BUFFERSIZE, long{request_.buffer_bytes});
  set(CURLOPT_FRESH_CONNECT, request_.fresh_connection ? 1L : 0L);
  if (request_.fresh_connection && request_.http_version != HttpVersion::k1_1) {
    set(CURLOPT_VERBOSE, 1L);
    set(CURLOPT_DEBUGFUNCTION, &Transfer::OnWords);
    set(CURLOPT_DEBUGDATA, this);
  }
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  // NOLINTEND(google-runtime-int)
  // Texts, since libcurl would read files at every handshake, on this thread.
  const auto set_blob = [&set](CURLoption option, std::string_view pem) {
    curl_blob blob = {.data = const_cast<char*>(pem.data()), .len = pem.size(), .flags = CURL_BLOB_NOCOPY};
    set(option, &blob);
  };
  const std::string_view authorities = request_.authorities == nullptr ? "" : std::string_view(*request_.authorities);
  if (!authorities.empty() || !request_.ca_dir.empty()) {
    // Neither the system's file nor its directory are trusted too.
    const char* const directory = request_.ca_dir.empty() ? nullptr : request_.ca_dir.c_str();
    set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
    set(CURLOPT_CAPATH, directory);
    set(CURLOPT_PROXY_CAINFO, static_cast<const char*>(nullptr));
    set(CURLOPT_PROXY_CAPATH, directory);
    if (!authorities.empty()) {
      set_blob(CURLOPT_CAINFO_BLOB, authorities);
      set_blob(CURLOPT_PROXY_CAINFO_BLOB, authorities);
    }
  }
  if (!request_.client_certificate.empty()) {
    set(CURLOPT_SSLCERTTYPE, "PEM");
    set_blob(CURLOPT_SSLCERT_BLOB, request_.client_certificate);
    set(CURLOPT_SSLKEYTYPE, "PEM");
    set_blob(CURLOPT_SSLKEY_BLOB, request_.client_key);
    set(CURLOPT_KEYPASSWD, "");  // else OpenSSL might ask the terminal for one
  }
  if (resolve_ != nullptr) set(CURLOPT_RESOLVE, resolve_.get());
  set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::OnOpenSocket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_CLOSESOCKETFUNCTION, &Transfer::OnCloseSocket);
  set(CURLOPT_CLOSESOCKETDATA, &multi_.sockets());
  set(CURLOPT_PREREQFUNCTION, &Transfer::OnSend);
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Transfer::OnHeaderLine);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::OnData);
  set(CURLOPT_WRITEDATA, this);
  return result;
}

void Transfer::Pause() {
  if (paused_) return;
  paused_ = true;
  // Others use an HTTP/2 connection too. There, the stream's window holds the server back.
  if (!Multiplexed()) multi_.Hold(*this);
  // Even if libcurl refused, nothing more would be read: the socket is not watched any more.
  static_cast<void>(curl_easy_pause(easy_.get(), CURLPAUSE_RECV));
}

CURLcode Transfer::Resume() {
  if (!paused_ || !running_) return CURLE_OK;
  paused_ = false;
  idle_since_ = MonotonicNanos();
  multi_.Release(*this);
  return curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
}

bool Transfer::RequestSentWhole() const {
  curl_off_t sent = 0;
  return curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &sent) == CURLE_OK &&
         static_cast<uint64_t>(sent) >= request_.body.size();
}

int Transfer::ConnectStatus() const {
  return NumberOf(easy_.get(), CURLINFO_HTTP_CONNECTCODE);
}

int Transfer::ProxyRefusal() const {
  return Tunnelled() ? 0 : ConnectStatus();
}

bool Transfer::Tunnelled() const {
  return ConnectStatus() / 100 == 2;
}

int Transfer::NewConnections() const {
  return NumberOf(easy_.get(), CURLINFO_NUM_CONNECTS);
}

curl_socket_t Transfer::OnOpenSocket(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
  return static_cast<Transfer*>(self)->multi_.sockets().Open(*address);
}

// May come when the transfer is long gone.
int Transfer::OnCloseSocket(void* sockets, curl_socket_t socket) {
  return static_cast<OpenSockets*>(sockets)->Close(socket);
}

// Whether the connection is a pooled one with something to read. libcurl 7.88 would use it all the same, and take those
// bytes for the answer to the next request. HTTP/2 says which request an answer is for.
bool Transfer::IsSpoiled() const {
  OpenSockets& sockets = multi_.sockets();
  return NewConnections() == 0 && !sockets.Multiplexed(local_port_) && sockets.HasInput(local_port_);
}

// Whether the request may be sent, or sent again. When an HTTP/2 server asks for HTTP/1.1, libcurl starts over, even
// within an answer.
bool Transfer::MaySend() const {
  return sends_ < request_.max_sends && http_version_ == 0 && !downgraded_;
}

// Hears what libcurl says it does, which only its words tell.
int Transfer::OnWords(CURL* /*easy*/, curl_infotype kind, char* text, size_t size, void* self) {
  if (kind == CURLINFO_TEXT && std::string_view(text, size).starts_with("Downgrades to HTTP/1.1")) {
    static_cast<Transfer*>(self)->downgraded_ = true;
  }
  return 0;
}

// Comes each time that the request is about to be sent.
int Transfer::OnSend(void* self, char* /*remote_ip*/, char* /*local_ip*/, int /*remote_port*/, int local_port) {
  auto* transfer = static_cast<Transfer*>(self);
  OpenSockets& sockets = transfer->multi_.sockets();
  if (transfer->local_port_ != 0) sockets.EndUse(transfer->local_port_);
  transfer->local_port_ = local_port;
  sockets.BeginUse(local_port);
  if (transfer->IsSpoiled()) {
    transfer->spoiled_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
  if (!transfer->MaySend()) {
    transfer->send_refused_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
  ++transfer->sends_;
  return CURL_PREREQFUNC_OK;
}

size_t Transfer::OnHeaderLine(const char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  const size_t bytes = size * count;
  return transfer->TakeHeaderLine({data, bytes}) ? bytes : 0;
}

size_t Transfer::OnData(const char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<Transfer*>(self);
  const size_t bytes = size * count;
  return transfer->TakeBody({data, bytes}) ? bytes : CURL_WRITEFUNC_ERROR;
}

void Transfer::OnCompleted(CURLcode result) {
  Remove();
  // libcurl was about to send the request again, because its connection had broken: that is the result.
  handler_.OnCompleted(send_refused_ || spoiled_ ? CURLE_RECV_ERROR : result);
}

bool Transfer::TakeHeaderLine(std::string_view line) {
  switch (head_watch_.Take(easy_.get(), line)) {
    case HeadWatch::Took::kLine:
      return true;
    case HeadWatch::Took::kHead:
      return TakeHead();
    case HeadWatch::Took::kMalformed:
      return false;
  }
  return false;
}

bool Transfer::TakeHead() {
  std::optional<ResponseHead> head = ReadHead(easy_.get());
  if (!head.has_value()) return false;
  head->headers = head_watch_.TakeHeaders();
  http_version_ = NumberOf(easy_.get(), CURLINFO_HTTP_VERSION);
  if (Multiplexed()) multi_.sockets().SetMultiplexed(local_port_);
  idle_since_ = MonotonicNanos();
  receiver_ = handler_.OnHead(*head);
  return true;
}

bool Transfer::TakeBody(std::string_view bytes) {
  idle_since_ = MonotonicNanos();
  if (receiver_ == nullptr) {
    ignored_bytes_ += bytes.size();
    return ignored_bytes_ <= kMaxIgnoredBytes;
  }
  body_status_ = receiver_->OnBody(bytes);
  return body_status_.ok();
}

}  // namespace igpt::internal
