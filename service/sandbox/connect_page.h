// The pages that a user's browser sees. Pure.
#pragma once

#include <string>
#include <string_view>

#include "service/sandbox/accounts.h"

namespace igptd::sandbox {

// Whether `uri` may be redirected to: absolute, http or https, with a host, of visible ASCII only.
bool IsRedirectUri(std::string_view uri);

// `uri` with `state` added to its query, percent-encoded; `uri` itself when there is no state.
std::string RedirectTo(std::string_view uri, std::string_view state);

// HTML that says that this grant's mailbox is connected.
std::string ConnectedPage(const Grant& grant);

// HTML that says that the link is unknown or was used.
std::string ExpiredPage();

}  // namespace igptd::sandbox
