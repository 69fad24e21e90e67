// A record of libcurl's open sockets, because libcurl gives no access to those of its pooled connections.
#pragma once

#include <curl/curl.h>

#include <unordered_map>
#include <unordered_set>

namespace igpt::internal {

// Opens and closes libcurl's sockets for it, and knows them by their local ports. On the event loop's thread. Outlives
// every connection.
class OpenSockets {
 public:
  // For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION.
  curl_socket_t Open(const curl_sockaddr& address);
  int Close(curl_socket_t socket);

  // Whether the connection from this local port has something to read; its end counts. When two connections to
  // different addresses share the port, either counts.
  bool HasInput(int local_port);

 private:
  std::unordered_set<curl_socket_t> unnamed_;  // whose ports were not looked up yet
  std::unordered_map<curl_socket_t, int> ports_;
  std::unordered_multimap<int, curl_socket_t> by_port_;
};

}  // namespace igpt::internal
