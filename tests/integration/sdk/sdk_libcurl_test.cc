// What libcurl refuses ends the call at once. libcurl's function is replaced by one of this program, which the linker
// finds first.
#include <curl/curl.h>
#include <dlfcn.h>

#include <atomic>
#include <memory>

#include "tests/integration/sdk/sdk_fixture.h"

namespace {

std::atomic<bool> refuse = false;

}  // namespace

extern "C" CURLMcode curl_multi_add_handle(CURLM* multi_handle, CURL* curl_handle) {
  using Function = CURLMcode (*)(CURLM*, CURL*);
  static const auto kLibcurls = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "curl_multi_add_handle"));
  return refuse ? CURLM_INTERNAL_ERROR : kLibcurls(multi_handle, curl_handle);
}

namespace igpt::testing {
namespace {

TEST(SdkLibcurlTest, ATransferThatIsNotTakenFailsItsCall) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, R"({"output":"Yes."})"));
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));

  refuse = true;
  EXPECT_THAT(client->recall().Ask(Question()), IsError(ErrorKind::kConfiguration));
  EXPECT_THAT(AskAll(*client).error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(client->connectors().Authorize(ConnectSpike()), IsError(ErrorKind::kConfiguration));

  refuse = false;
  EXPECT_THAT(client->recall().Ask(Question()), IsOk());
}

}  // namespace
}  // namespace igpt::testing
