// A record of libcurl's open sockets, because libcurl gives no access to those of its pooled connections.
#pragma once

#include <curl/curl.h>

#include <unordered_map>
#include <unordered_set>

#include "absl/time/time.h"

namespace igpt::internal {

// Opens and closes libcurl's sockets for it, and knows them by their local ports. On the event loop's thread. Outlives
// every connection.
class OpenSockets {
 public:
  // For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION.
  curl_socket_t Open(const curl_sockaddr& address);
  int Close(curl_socket_t socket);

  // Whether the connection from this local port has something to read; its end counts. When two connections to
  // different addresses share the port, either counts, here and below.
  bool HasInput(int local_port);

  // How long nothing has come on the connection from this port; 0: there is none.
  absl::Duration SilentFor(int local_port);

  // A request uses the connection from this port. When there are two at a time, it is HTTP/2's.
  void BeginUse(int local_port);
  void EndUse(int local_port);
  // Whether that connection is HTTP/2's, as far as is known.
  void SetMultiplexed(int local_port) { multiplexed_.insert(local_port); }
  bool Multiplexed(int local_port) const { return multiplexed_.contains(local_port); }

 private:
  void NameAll();

  std::unordered_set<curl_socket_t> unnamed_;  // whose ports were not looked up yet
  std::unordered_map<curl_socket_t, int> ports_;
  std::unordered_multimap<int, curl_socket_t> by_port_;
  std::unordered_map<int, int> requests_;  // under way, by port
  std::unordered_set<int> multiplexed_;    // ports
};

}  // namespace igpt::internal
