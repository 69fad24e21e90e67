#include "tests/support/canned_answer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "igpt/internal/http/curl_multi.h"
#include "igpt/internal/http/transfer.h"
#include "igpt/testing/internal/unique_fd.h"

namespace igpt::testing {
namespace {

constexpr int kPatienceMs = 100;

int Must(int result, const char* call) {
  if (result < 0) {
    std::perror(call);
    std::abort();
  }
  return result;
}

// Sends the answer to whoever connects, whatever they ask, and ends its side. On the caller's thread: Serve() takes
// nobody by surprise, because the kernel connects before it is called.
class Server {
 public:
  explicit Server(std::string_view answer)
      : answer_(answer), listening_(Must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket")) {
    // Each at another address of this host: a fuzzer would run out of ports, which TCP keeps for a minute.
    static uint32_t servers = 0;
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x7F010000U + ++servers % 0xFFFFU);
    socklen_t size = sizeof(address);
    Must(::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), size), "bind");
    Must(::listen(listening_.get(), 1), "listen");
    Must(::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    char host[INET_ADDRSTRLEN];
    ::inet_ntop(AF_INET, &address.sin_addr, host, sizeof(host));
    url_ = std::string("http://") + host + ":" + std::to_string(ntohs(address.sin_port)) + "/";
  }

  const std::string& url() const { return url_; }

  // Does what it can without waiting.
  void Serve() {
    if (connection_.get() < 0) {
      connection_ = UniqueFd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (connection_.get() < 0) return;
    }
    while (!answer_.empty()) {
      const ssize_t sent = ::send(connection_.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      answer_.remove_prefix(static_cast<size_t>(sent));
    }
    ::shutdown(connection_.get(), SHUT_WR);
  }

 private:
  std::string_view answer_;
  UniqueFd listening_;
  UniqueFd connection_;
  std::string url_;
};

class Reader final : public internal::Transfer::Handler, public internal::BodyReceiver {
 public:
  BodyReceiver* OnHead(const internal::ResponseHead& head) override {
    reading.head = head;
    return this;
  }
  absl::Status OnBody(std::string_view bytes) override {
    reading.body += bytes;
    return absl::OkStatus();
  }
  void OnCompleted(CURLcode result) override {
    reading.result = result;
    completed = true;
  }

  TransferReading reading;
  bool completed = false;
};

size_t Append(const char* data, size_t size, size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

}  // namespace

TransferReading ReadByTransfer(std::string_view answer) {
  Server server(answer);
  const UniqueFd epoll(Must(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  internal::CurlMulti multi(epoll.get());
  Reader reader;
  internal::Transfer::Request request;
  request.url = server.url();
  request.connect_timeout = absl::Seconds(10);
  internal::Transfer transfer(multi, request, reader);
  if (transfer.Start() != CURLE_OK) std::abort();
  while (!reader.completed) {
    server.Serve();
    std::array<epoll_event, 4> events;
    const auto until_timer = static_cast<int>(absl::ToInt64Milliseconds(multi.UntilTimer()));
    const int ready = ::epoll_wait(epoll.get(), events.data(), events.size(), std::clamp(until_timer, 0, kPatienceMs));
    for (int i = 0; i < ready; ++i) multi.OnSocketReady(events[i].data.fd, events[i].events);
    multi.RunDueTimer();
    multi.ReportCompleted();
  }
  return std::move(reader.reading);
}

LibcurlReading ReadByLibcurl(std::string_view answer) {
  Server server(answer);
  LibcurlReading reading;
  const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi(curl_multi_init(), &curl_multi_cleanup);
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), &curl_easy_cleanup);
  curl_easy_setopt(easy.get(), CURLOPT_URL, server.url().c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});  // NOLINT(google-runtime-int)
  curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, "");
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &reading.body);
  curl_multi_add_handle(multi.get(), easy.get());
  for (int running = 1; running > 0;) {
    curl_multi_perform(multi.get(), &running);
    server.Serve();
    if (running > 0) curl_multi_poll(multi.get(), nullptr, 0, kPatienceMs, nullptr);
  }
  int left = 0;
  if (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) reading.result = message->data.result;
  long status = 0;  // NOLINT(google-runtime-int): libcurl's type
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  reading.status = static_cast<int>(status);
  const char* content_type = nullptr;
  curl_easy_getinfo(easy.get(), CURLINFO_CONTENT_TYPE, &content_type);
  if (content_type != nullptr) reading.content_type = content_type;
  curl_multi_remove_handle(multi.get(), easy.get());
  return reading;
}

}  // namespace igpt::testing
