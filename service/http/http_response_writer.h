// Writes responses to a connection: the head, and the body framed by its length or in chunks.
#pragma once

#include "service/http/http_connection.h"
#include "service/http/http_message.h"

namespace igptd {

struct HttpFraming {
  bool head_only = false;  // the answer to a HEAD
  bool close = false;      // tells the client that the connection ends with this response
};

// False when the connection must be closed, because the client is gone or the body was left without its end.
bool WriteResponse(HttpConnection& connection, const HttpResponse& response, const HttpFraming& framing);

}  // namespace igptd
