#include "service/sandbox/connect_page.h"

#include <algorithm>

#include "service/sandbox/text.h"

namespace igptd::sandbox {
namespace {

std::string Escaped(std::string_view text) {
  return Replaced(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kKept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    encoded += kKept.find(c) == kKept.npos ? Cat("%", Hex(static_cast<unsigned char>(c))) : std::string(1, c);
  }
  return encoded;
}

// `body` is HTML.
std::string Page(std::string_view title, std::string_view body) {
  return Cat("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>", title,
             "</title>\n<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto}</style>\n",
             "</head>\n<body>\n<h1>", title, "</h1>\n", body, "\n</body>\n</html>\n");
}

}  // namespace

bool IsRedirectUri(std::string_view uri) {
  const std::string lower = Lower(uri);
  std::string_view host = lower;
  return IsVisibleAscii(uri) && (Consume(host, "http://") || Consume(host, "https://")) && !host.empty() &&
         !Contains("/?#:@\\", host.substr(0, 1));
}

std::string RedirectTo(std::string_view uri, std::string_view state) {
  if (state.empty()) return std::string(uri);
  const size_t fragment = std::min(uri.find('#'), uri.size());
  const std::string_view before = uri.substr(0, fragment);
  return Cat(before, Contains(before, "?") ? "&" : "?", "state=", PercentEncoded(state), uri.substr(fragment));
}

std::string ConnectedPage(const Grant& grant) {
  std::string scopes;
  for (const std::string& scope : grant.scopes) scopes += Cat(" ", Escaped(scope));
  return Page("Connected", Cat("<p>The sandbox mailbox <b>", Escaped(kMailboxOwner), "</b> is connected for <b>",
                               Escaped(grant.user), "</b>: ", Escaped(grant.service), scopes,
                               ".</p>\n<p>You can close this page.</p>"));
}

std::string ExpiredPage() {
  return Page("This link can't be used",
              "<p>It was used before, or the sandbox was started anew. Call Authorize for another one.</p>");
}

}  // namespace igptd::sandbox
