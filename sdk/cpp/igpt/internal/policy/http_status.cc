#include "igpt/internal/policy/http_status.h"

#include <curl/curl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "igpt/internal/base/string_view.h"
#include "igpt/internal/policy/retry_after.h"

namespace igpt::internal {
namespace {

std::string Normalized(std::string_view value) {
  std::string text(value);
  absl::StripAsciiWhitespace(&text);
  absl::AsciiStrToLower(&text);
  return text;
}

// "Text/HTML; charset=utf-8" → "text/html".
std::string MediaType(std::string_view content_type) {
  return Normalized(content_type.substr(0, content_type.find(';')));
}

bool HasContentCoding(std::string_view content_encoding) {
  const std::string coding = Normalized(content_encoding);
  return !coding.empty() && coding != "identity";
}

bool IsJson(const std::string& type) {
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

// Whether the route may answer with this content type. An answer without one is taken for JSON.
bool IsExpected(const Route& route, std::string_view content_type) {
  const std::string type = MediaType(content_type);
  return type.empty() || IsJson(type) || (route.may_stream && IsEventStream(type));
}

// For a message: the value, or "unknown" if it is none or could hold anything.
std::string Shown(std::string value) {
  constexpr size_t kMaxShown = 64;
  const bool plain =
      !value.empty() && value.size() <= kMaxShown && std::all_of(value.begin(), value.end(), [](unsigned char c) {
        return absl::ascii_isalnum(c) || std::string_view("/.-_+").find(c) != std::string_view::npos;
      });
  return plain ? value : "unknown";
}

FailedAttempt HeadError(const ResponseHead& head, ErrorKind kind, std::string_view message) {
  FailedAttempt failed;
  failed.error.kind = kind;
  failed.error.call.http_status = head.status;
  failed.message = absl::StrCat("HTTP ", head.status, ": ", AbslView(message));
  return failed;
}

// Whether another attempt can succeed after this status.
bool IsTransient(int status) {
  return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

std::optional<FailedAttempt> CheckBody(const Route& route, const ResponseHead& head) {
  if (HasContentCoding(head.content_encoding)) {
    return HeadError(head, ErrorKind::kProtocol,
                     "the answer is compressed although that was not asked for; check the proxies on the way to iGPT");
  }
  if (!IsExpected(route, head.content_type)) {
    return HeadError(head, ErrorKind::kProtocol,
                     "the answer's content type is not iGPT's, so it may be a login page; check base_url and the "
                     "proxies on the way to iGPT");
  }
  return std::nullopt;
}

FailedAttempt Lasting(ErrorKind kind, bool reached, std::string message) {
  FailedAttempt failed;
  failed.error.kind = kind;
  failed.reached = reached;
  failed.message = std::move(message);
  return failed;
}

FailedAttempt Transient(ErrorKind kind, bool reached, std::string message) {
  FailedAttempt failed = Lasting(kind, reached, std::move(message));
  failed.transient = true;
  return failed;
}

FailedAttempt OfProxy(std::string_view host, int port, std::string_view what) {
  FailedAttempt failed = Transient(ErrorKind::kNetwork, /*reached=*/false,
                                   absl::StrCat("the proxy ", AbslView(host), ":", port, " ", AbslView(what)));
  failed.by_proxy = true;
  return failed;
}

// What is wrong with the server's certificate, by the words of libcurl with OpenSSL. A wrong host is looked for first:
// its message contains host names, which could contain the words of the other messages.
const char* CertificateProblem(std::string_view detail) {
  const std::string text = Normalized(detail);
  const auto says = [&text](const char* words) { return text.find(words) != text.npos; };
  if (says("does not match target") || says("subject name matches") || says("hostname mismatch") ||
      says("ip address mismatch")) {
    return "iGPT's certificate is for another host: check base_url";
  }
  if (says("has expired")) return "iGPT's certificate has expired: check this machine's clock, else it must be renewed";
  if (says("not yet valid")) return "iGPT's certificate is not valid yet: check this machine's clock";
  if (says("self-signed") || says("self signed") || says("issuer") || says("unable to verify the first")) {
    return "iGPT's certificate is from an unknown authority: check ca_file and the system's certificates";
  }
  return "iGPT's certificate was refused: check base_url and ca_file";
}

// Whether the certificate's signature doesn't verify (another key under a trusted authority's name). That fails within
// libcrypto, and libcurl reports it as a failed handshake, with OpenSSL's first error: one that is not about SSL
// itself.
bool IsBadSignature(std::string_view detail) {
  const std::string text = Normalized(detail);
  return text.find("error:") != text.npos && text.find(" routines:") != text.npos &&
         text.find("ssl routines:") == text.npos;
}

// Whether the server sent an alert about this client's certificate. With TLS 1.3 it comes when the handshake is over
// for the client, in place of an answer.
bool RefusesClientCertificate(std::string_view detail) {
  const std::string text = Normalized(detail);
  const size_t alert = text.find(" alert ");
  if (alert == text.npos) return false;
  return text.find("certificate", alert) != text.npos || text.find("unknown ca", alert) != text.npos;
}

}  // namespace

bool IsEventStream(std::string_view content_type) {
  return MediaType(content_type) == "text/event-stream";
}

std::optional<FailedAttempt> CheckHead(const Route& route, const ResponseHead& head, absl::Time now) {
  const int status = head.status;
  if (status == 200) return CheckBody(route, head);
  if (status == 403 && !IsJson(MediaType(head.content_type))) {
    return HeadError(head, ErrorKind::kProtocol,
                     absl::StrCat("something on the way refused the request, such as a firewall, and not iGPT, which "
                                  "answers in JSON (content type: ",
                                  Shown(MediaType(head.content_type)), ", server: ", Shown(head.server), ")"));
  }
  if (status == 401 || status == 403) {
    return HeadError(head, ErrorKind::kAuth, "iGPT refused the API key; check that it is right and not expired");
  }
  if (status == 400 || status == 422) {
    return HeadError(head, ErrorKind::kParams, "iGPT refused the request's parameters; check their values");
  }
  if (status == 404 && !route.not_found.empty()) return HeadError(head, ErrorKind::kNotFound, route.not_found);
  if (status == 429) {
    FailedAttempt failed =
        HeadError(head, ErrorKind::kRateLimited, "iGPT limits the rate of requests; try again later");
    failed.transient = IsTransient(status);
    failed.error.retry_after = ParseRetryAfter(head.retry_after, now);
    return failed;
  }
  if (status >= 500 && status <= 599) {
    FailedAttempt failed = HeadError(head, ErrorKind::kUnavailable, "iGPT is not available; try again later");
    failed.transient = IsTransient(status);
    failed.error.retry_after = ParseRetryAfter(head.retry_after, now);
    return failed;
  }
  if (status >= 300 && status <= 399) {
    return HeadError(head, ErrorKind::kProtocol,
                     "redirects are not followed, because they could leak the key; check base_url");
  }
  return HeadError(head, ErrorKind::kProtocol, "iGPT's API never answers with this status; check base_url");
}

FailedAttempt CheckTransport(int curl_code, bool request_sent, std::string_view detail) {
  if (curl_code != CURLE_PEER_FAILED_VERIFICATION && RefusesClientCertificate(detail)) {
    return Lasting(ErrorKind::kTls, request_sent,
                   "the server refused this client's certificate, or wants one: check client_certificate_pem and "
                   "client_key_pem");
  }
  switch (curl_code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return Transient(ErrorKind::kNetwork, /*reached=*/false,
                       "iGPT's host name could not be resolved: check base_url and the name servers");
    case CURLE_COULDNT_CONNECT:
      return Transient(ErrorKind::kNetwork, /*reached=*/false,
                       "iGPT refused the connection or is unreachable: check base_url and the network");
    case CURLE_SSL_CONNECT_ERROR:
      if (IsBadSignature(detail)) return Lasting(ErrorKind::kTls, request_sent, CertificateProblem(detail));
      return Transient(ErrorKind::kNetwork, request_sent,
                       "the TLS handshake with iGPT failed: check base_url and the network");

    case CURLE_PEER_FAILED_VERIFICATION:
      return Lasting(ErrorKind::kTls, request_sent, CertificateProblem(detail));
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return Lasting(ErrorKind::kTls, request_sent, "iGPT's certificate was refused: check base_url and ca_file");
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
      return Lasting(ErrorKind::kConfiguration, request_sent,
                     "the certificate authorities could not be read: check ca_file");
    case CURLE_SSL_CERTPROBLEM:
      return Lasting(ErrorKind::kTls, request_sent,
                     "the client certificate could not be used: check that client_key_pem is the key of "
                     "client_certificate_pem");
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_CIPHER:
      return Lasting(ErrorKind::kTls, request_sent,
                     "TLS with iGPT could not be set up: check the system's TLS settings");

    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_HTTP2_STREAM:
      return Transient(ErrorKind::kNetwork, request_sent,
                       "the connection to iGPT broke: try again, and check the network");

    case CURLE_HTTP2:
      return Transient(ErrorKind::kNetwork, request_sent,
                       "the HTTP/2 connection to iGPT broke: try again, and check the network; if it always does, use "
                       "HTTP/1.1 (http_version)");

    case CURLE_OPERATION_TIMEDOUT: {
      FailedAttempt failed =
          Transient(ErrorKind::kTimeout, /*reached=*/false,
                    "connecting to iGPT took longer than connect_timeout: check the network, or raise it");
      failed.error.timer = "connect";
      return failed;
    }

    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:    // we refused a line of the head
    case CURLE_OUT_OF_MEMORY:  // libcurl's refusal of a line over 100 KB; if memory were short, we would have aborted
      return Lasting(ErrorKind::kProtocol, request_sent,
                     "the answer is not HTTP as iGPT speaks it: check base_url and proxy");

    // libcurl refused an option.
    case CURLE_FAILED_INIT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_URL_MALFORMAT:
      return Lasting(
          ErrorKind::kConfiguration, request_sent,
          absl::StrCat("libcurl refuses the client's options: ", curl_easy_strerror(static_cast<CURLcode>(curl_code))));

    default:
      return Lasting(ErrorKind::kNetwork, request_sent,
                     absl::StrCat("libcurl: ", curl_easy_strerror(static_cast<CURLcode>(curl_code))));
  }
}

FailedAttempt ProxyRefused(std::string_view host, int port, int status) {
  const bool credentials = status == 401 || status == 407;
  FailedAttempt failed = OfProxy(host, port,
                                 absl::StrCat("refused to connect to iGPT with HTTP ", status, ": ",
                                              credentials ? "check the user and password in proxy" : "check proxy"));
  failed.transient = IsTransient(status);
  if (credentials) failed.error.kind = ErrorKind::kConfiguration;
  return failed;
}

FailedAttempt ProxyFailed(std::string_view host, int port, int curl_code) {
  switch (curl_code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
      return OfProxy(host, port, "has a host name that could not be resolved: check proxy and the name servers");
    case CURLE_COULDNT_CONNECT:
      return OfProxy(host, port, "refused the connection or is unreachable: check proxy and the network");
    case CURLE_PROXY:
      return OfProxy(host, port, "did not lead on to iGPT: check proxy, with its user and password if it wants them");
    case CURLE_PEER_FAILED_VERIFICATION: {
      FailedAttempt failed = OfProxy(host, port, "has a certificate that was refused: check proxy and ca_file");
      failed.transient = false;
      failed.error.kind = ErrorKind::kTls;
      return failed;
    }
    default:
      return OfProxy(host, port, "broke the connection before it led on to iGPT: check proxy");
  }
}

FailedAttempt LookupFailed(std::string_view why) {
  return Transient(ErrorKind::kNetwork, /*reached=*/false,
                   absl::StrCat("the host name of the iGPT API could not be resolved: ", AbslView(why)));
}

FailedAttempt TimedOut(std::string_view timer) {
  const bool connecting = timer == "connect";
  FailedAttempt failed = Lasting(ErrorKind::kTimeout, /*reached=*/!connecting,
                                 absl::StrCat("iGPT did not answer within the ", AbslView(timer), " limit"));
  failed.error.timer = timer;
  failed.transient = connecting;
  return failed;
}

}  // namespace igpt::internal
