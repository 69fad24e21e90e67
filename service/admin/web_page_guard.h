// Keeps web pages out: the browser of somebody who can reach the admin port would fetch from it whatever a page asks
// for. Pure.
#pragma once

#include <string>

#include "service/http/http_message.h"

namespace igptd {

// Why a request could be a web page's; empty: no page can have made it. Refused are requests that a browser says
// another site made (Origin, Sec-Fetch-Site), and those for a host name other than localhost and `own_host`: a page can
// make a name of its own stand for 127.0.0.1, and its requests then are of the same site (DNS rebinding).
std::string WebPageObjection(const HttpRequest& request, const std::string& own_host);

}  // namespace igptd
