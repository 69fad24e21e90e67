#include "igpt/internal/http/transfer.h"

#include <cstdlib>
#include <utility>

namespace igpt::internal {
namespace {

// NOLINTBEGIN(google-runtime-int): libcurl's options are longs.
template <typename Value>
void Set(CURL* easy, CURLoption option, Value value) {
  curl_easy_setopt(easy, option, value);
}
// NOLINTEND(google-runtime-int)

curl_slist* Append(curl_slist* list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list, line.c_str());
  if (longer == nullptr) std::abort();  // out of memory
  return longer;
}

}  // namespace

Transfer::Transfer(CurlMulti& multi, Request request, Observer& observer)
    : multi_(multi),
      request_(std::move(request)),
      observer_(observer),
      error_(CURL_ERROR_SIZE),
      easy_(curl_easy_init()) {
  CURL* easy = easy_.get();
  if (easy == nullptr) std::abort();  // out of memory
  for (const std::string& line : request_.headers) headers_.reset(Append(headers_.release(), line));
  headers_.reset(Append(headers_.release(), "Expect:"));  // no 100-continue: it costs a round trip

  Set(easy, CURLOPT_PRIVATE, static_cast<CurlMulti::Transfer*>(this));
  Set(easy, CURLOPT_ERRORBUFFER, error_.data());
  Set(easy, CURLOPT_NOSIGNAL, 1L);
  Set(easy, CURLOPT_URL, request_.url.c_str());
  Set(easy, CURLOPT_PROTOCOLS_STR, "http,https");                // ParseBaseUrl allows http for loopback only
  Set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});  // NOLINT(google-runtime-int)
  Set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  Set(easy, CURLOPT_PROXY, request_.proxy.c_str());  // "" also turns the environment's variables off
  Set(easy, CURLOPT_POST, 1L);
  Set(easy, CURLOPT_POSTFIELDS, request_.body.data());
  Set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  Set(easy, CURLOPT_HTTPHEADER, headers_.get());
  Set(easy, CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(  // NOLINT(google-runtime-int)
          absl::ToInt64Milliseconds(request_.connect_timeout)));
  Set(easy, CURLOPT_BUFFERSIZE, long{request_.buffer_bytes});  // NOLINT(google-runtime-int)
  Set(easy, CURLOPT_FRESH_CONNECT, request_.fresh_connection ? 1L : 0L);
  Set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  if (!request_.ca_file.empty()) Set(easy, CURLOPT_CAINFO, request_.ca_file.c_str());
  if (!request_.resolve.empty()) {
    resolve_.reset(Append(nullptr, request_.resolve));
    Set(easy, CURLOPT_RESOLVE, resolve_.get());
  }
  Set(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::OnOpenSocket);
  Set(easy, CURLOPT_OPENSOCKETDATA, this);
  Set(easy, CURLOPT_CLOSESOCKETFUNCTION, &Transfer::OnCloseSocket);
  Set(easy, CURLOPT_CLOSESOCKETDATA, &multi_.sockets());
  Set(easy, CURLOPT_PREREQFUNCTION, &Transfer::OnSend);
  Set(easy, CURLOPT_PREREQDATA, this);
  Set(easy, CURLOPT_HEADERFUNCTION, &Transfer::OnHeaderLine);
  Set(easy, CURLOPT_HEADERDATA, this);
  Set(easy, CURLOPT_WRITEFUNCTION, &Transfer::OnData);
  Set(easy, CURLOPT_WRITEDATA, this);
  multi_.Add(easy);
}

Transfer::~Transfer() {
  if (!completed_) multi_.Remove(easy_.get());
}

void Transfer::Pause() {
  if (paused()) return;
  multi_.Hold(*this);
  curl_easy_pause(easy_.get(), CURLPAUSE_RECV);
}

void Transfer::Resume() {
  if (!paused() || completed_) return;
  multi_.Release(*this);
  curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
}

bool Transfer::RequestSent() const {
  long sent = 0;  // NOLINT(google-runtime-int): libcurl's type
  curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &sent);
  return sent > 0;
}

int Transfer::NewConnections() const {
  long connections = 0;  // NOLINT(google-runtime-int): libcurl's type
  curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connections);
  return static_cast<int>(connections);
}

curl_socket_t Transfer::OnOpenSocket(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
  return static_cast<Transfer*>(self)->multi_.sockets().Open(*address);
}

// May come when the transfer is long gone.
int Transfer::OnCloseSocket(void* sockets, curl_socket_t socket) {
  return static_cast<OpenSockets*>(sockets)->Close(socket);
}

// Whether the connection is a pooled one with something to read. libcurl 7.88 uses it all the same, and gives what is
// there to whoever comes next.
bool Transfer::IsSpoiled(int local_port) const {
  return NewConnections() == 0 && multi_.sockets().HasInput(local_port);
}

// Comes each time that the request is about to be sent.
int Transfer::OnSend(void* self, char* /*remote_ip*/, char* /*local_ip*/, int /*remote_port*/, int local_port) {
  auto* transfer = static_cast<Transfer*>(self);
  if (transfer->IsSpoiled(local_port)) {
    transfer->spoiled_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
  if (transfer->sends_ == transfer->request_.max_sends) {
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
  return transfer->observer_.OnBody({data, bytes}) ? bytes : CURL_WRITEFUNC_ERROR;
}

void Transfer::OnCompleted(CURLcode result) {
  multi_.Remove(easy_.get());
  completed_ = true;
  // What libcurl wanted to send again was lost with its connection.
  observer_.OnCompleted(send_refused_ || spoiled_ ? CURLE_RECV_ERROR : result);
}

bool Transfer::TakeHeaderLine(std::string_view line) {
  switch (head_.TakeLine(line)) {
    case HeadReader::Took::kLine:
      return true;
    case HeadReader::Took::kHead:
      return observer_.OnHead(head_.head());
    case HeadReader::Took::kMalformed:
      return false;
  }
  return false;
}

}  // namespace igpt::internal
