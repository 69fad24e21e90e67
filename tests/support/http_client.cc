#include "tests/support/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace igpt::testing {
namespace {

struct Receiver {
  HttpReply reply;
  const HttpClient::OnBody& on_body;
  const HttpClient::OnHead& on_head;
};

size_t OnHeader(const char* data, size_t /*one*/, size_t size, void* pointer) {
  Receiver& receiver = *static_cast<Receiver*>(pointer);
  const std::string line(data, size);
  if (line == "\r\n" && receiver.on_head) receiver.on_head();
  const size_t colon = line.find(':');
  if (colon != line.npos) {
    std::string value = line.substr(colon + 1);
    absl::StripAsciiWhitespace(&value);
    receiver.reply.headers.emplace_back(line.substr(0, colon), std::move(value));
  }
  return size;
}

size_t OnData(const char* data, size_t /*one*/, size_t size, void* pointer) {
  Receiver& receiver = *static_cast<Receiver*>(pointer);
  receiver.reply.body.append(data, size);
  return !receiver.on_body || receiver.on_body({data, size}) ? size : 0;
}

}  // namespace

std::string HttpReply::Header(const std::string& name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& header) { return absl::EqualsIgnoreCase(header.first, name); });
  return found == headers.end() ? "" : found->second;
}

HttpClient::HttpClient(HttpVersion version) : version_(version), curl_(curl_easy_init()) {}

HttpClient::~HttpClient() {
  curl_easy_cleanup(curl_);
}

HttpReply HttpClient::Get(const std::string& url) {
  curl_easy_reset(curl_);
  return Perform(url);
}

HttpReply HttpClient::Head(const std::string& url) {
  curl_easy_reset(curl_);
  curl_easy_setopt(curl_, CURLOPT_NOBODY, 1L);
  return Perform(url);
}

HttpReply HttpClient::Post(const std::string& url, const HttpHeaders& headers, const std::string& body,
                           const OnBody& on_body, const OnHead& on_head) {
  curl_easy_reset(curl_);
  curl_slist* lines = curl_slist_append(nullptr, "Expect:");  // the body goes out without waiting
  // With ";" in place of ":", libcurl sends a header that is empty.
  for (const auto& [name, value] : headers) {
    lines = curl_slist_append(lines, absl::StrCat(name, value.empty() ? ";" : ": ", value).c_str());
  }
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> owner(lines, curl_slist_free_all);
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, lines);
  curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body.data());
  return Perform(url, on_body, on_head);
}

bool HttpClient::reused_connection() const {
  long connects = 0;  // NOLINT(google-runtime-int): libcurl's own type
  curl_easy_getinfo(curl_, CURLINFO_NUM_CONNECTS, &connects);
  return connects == 0;
}

HttpReply HttpClient::Perform(const std::string& url, const OnBody& on_body, const OnHead& on_head) {
  Receiver receiver = {.reply = {}, .on_body = on_body, .on_head = on_head};
  curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl_, CURLOPT_PROXY, "");
  if (version_ == HttpVersion::kHttp2)
    curl_easy_setopt(curl_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &receiver);
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, OnData);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &receiver);
  receiver.reply.whole = curl_easy_perform(curl_) == CURLE_OK;
  long status = 0;  // NOLINT(google-runtime-int): libcurl's own type
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  receiver.reply.status = static_cast<int>(status);
  return std::move(receiver.reply);
}

}  // namespace igpt::testing
