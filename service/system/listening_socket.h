// Sockets that servers listen on.
#pragma once

#include <netdb.h>

#include <memory>

namespace igptd {

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

// A socket that listens on `address`, with `flags` (SOCK_NONBLOCK, …) and never shared with another server: a port in
// use is an error. The caller's to close; -1 with errno.
int ListenOn(const addrinfo& address, int flags);

// The port that a socket is bound to.
int PortOf(int fd);

}  // namespace igptd
