#include "igpt/internal/http/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <mutex>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "igpt/internal/base/monotonic.h"
#include "igpt/internal/base/thread.h"

namespace igpt::internal {
namespace {

constexpr int64_t kFreshNanos = 30'000'000'000;
constexpr int64_t kUsableNanos = 300'000'000'000;

absl::StatusOr<std::string> LookUp(const std::string& host, int port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    const char* why = gai_strerror(error);
    return error == EAI_NONAME ? absl::NotFoundError(why) : absl::UnavailableError(why);
  }
  std::vector<std::string> addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(info->ai_addr, info->ai_addrlen, text, sizeof(text), nullptr, 0, NI_NUMERICHOST) != 0) continue;
    addresses.push_back(info->ai_family == AF_INET6 ? absl::StrCat("[", text, "]") : text);
  }
  freeaddrinfo(found);
  if (addresses.empty()) return absl::NotFoundError("the name has no address");
  return absl::StrCat(host, ":", port, ":", absl::StrJoin(addresses, ","));
}

}  // namespace

// Where a look-up's thread leaves its result. getaddrinfo cannot be interrupted, so the thread may outlive the resolver
// and even the loop: it owns the mailbox with it, and the resolver closes it.
struct Resolver::Mailbox : std::enable_shared_from_this<Resolver::Mailbox> {
  std::mutex mutex;
  Resolver* resolver = nullptr;  // guarded by `mutex`; null: nobody waits any more

  void Deliver(absl::StatusOr<std::string> entry) {
    const std::lock_guard lock(mutex);
    if (resolver == nullptr) return;
    resolver->loop_.Post([self = shared_from_this(), entry = std::move(entry)]() mutable {
      Resolver* receiver;
      {
        const std::lock_guard posted_lock(self->mutex);
        receiver = self->resolver;
      }
      // Safe without the lock: only this thread, the loop's, destroys the resolver.
      if (receiver != nullptr) receiver->Finish(std::move(entry));
    });
  }
};

Resolver::Resolver(EventLoop& loop, std::string host, int port, std::shared_ptr<Observer> observer)
    : loop_(loop),
      host_(std::move(host)),
      port_(port),
      observer_(std::move(observer)),
      mailbox_(std::make_shared<Mailbox>()) {
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->resolver = this;
}

Resolver::~Resolver() {
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->resolver = nullptr;
}

void Resolver::Resolve(Done done) {
  const int64_t age = MonotonicNanos() - resolved_at_;
  if ((entry_.empty() || age > kFreshNanos) && !looking_up_) StartLookup();
  if (!entry_.empty() && age <= kUsableNanos) {
    done(entry_);
  } else {
    waiting_.push_back(std::move(done));
  }
}

void Resolver::StartLookup() {
  looking_up_ = true;
  absl::StatusOr<std::thread> thread = StartThread(
      "igpt-lookup", [mailbox = mailbox_, host = host_, port = port_] { mailbox->Deliver(LookUp(host, port)); });
  if (thread.ok()) {
    thread->detach();
  } else {
    mailbox_->Deliver(absl::UnavailableError(thread.status().message()));
  }
}

void Resolver::Finish(absl::StatusOr<std::string> entry) {
  looking_up_ = false;
  if (observer_ != nullptr) observer_->OnLookupEnd(entry.ok());
  if (entry.ok()) {
    entry_ = *entry;
    resolved_at_ = MonotonicNanos();
  }
  std::vector<Done> waiting;
  waiting.swap(waiting_);
  for (Done& done : waiting) done(entry);
}

}  // namespace igpt::internal
