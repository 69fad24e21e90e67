// How a Client, its parts and its streams share what they need. Not for programs.
#pragma once

#include <memory>

namespace igpt::internal {

class SharedClient;

// Keeps a client open: when the last of them goes, it is closed.
class ClientRef {
 public:
  explicit ClientRef(std::shared_ptr<SharedClient> client);
  ~ClientRef();
  ClientRef(const ClientRef& other);
  ClientRef(ClientRef&& other) noexcept = default;
  ClientRef& operator=(ClientRef other) noexcept;

  SharedClient* operator->() const { return client_.get(); }
  // Null after a move.
  const std::shared_ptr<SharedClient>& get() const { return client_; }

 private:
  std::shared_ptr<SharedClient> client_;
};

}  // namespace igpt::internal
