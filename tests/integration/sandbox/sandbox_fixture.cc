#include "tests/integration/sandbox/sandbox_fixture.h"

#include <string_view>
#include <utility>

namespace igptd::sandbox {
namespace {

SandboxReply WholeOrNothing(HttpReply reply) {
  return reply.whole ? SandboxReply{std::move(reply)} : SandboxReply();
}

}  // namespace

Json SandboxReply::json() const {
  return Json::parse(body, nullptr, /*allow_exceptions=*/false);
}

std::vector<Json> SandboxReply::events() const {
  std::vector<Json> events;
  std::string_view rest = body;
  for (size_t end; (end = rest.find("\n\n")) != rest.npos; rest.remove_prefix(end + 2)) {
    EXPECT_TRUE(rest.starts_with("data: "));
    events.push_back(Json::parse(rest.substr(6, end - 6), nullptr, false));
  }
  return events;
}

Json Everything() {
  return {{"user", "demo"},
          {"input", "What did we decide about the budget?"},
          {"id", "spike/x/y"},
          {"service", "spike"},
          {"scope", "messages"}};
}

SandboxTest::SandboxTest(bool faults) {
  auto started = Sandbox::Start({"127.0.0.1:0", faults});
  if (started.ok()) sandbox_ = *std::move(started);
}

std::string SandboxTest::origin() const {
  return sandbox_->base_url().substr(0, sandbox_->base_url().size() - 3);
}

SandboxReply SandboxTest::Call(const std::string& path, const Json& body, HttpHeaders headers) const {
  headers.push_back(kKey);
  return Post("/v1" + path, body.dump(), headers);
}

SandboxReply SandboxTest::Post(const std::string& path, const std::string& body, const HttpHeaders& headers) const {
  return WholeOrNothing(HttpClient().Post(origin() + path, headers, body));
}

SandboxReply SandboxTest::Get(const std::string& url) const {
  return WholeOrNothing(HttpClient().Get(url));
}

}  // namespace igptd::sandbox
