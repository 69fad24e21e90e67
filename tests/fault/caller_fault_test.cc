// Unknown callers, and known ones that may not do what they try: refused before iGPT is asked.
#include <string>
#include <vector>

#include "tests/fault/fault_case.h"

namespace igpt::testing {
namespace {

// A caller with the token "token-of-billing-0001", which may not act for the users of these tests.
constexpr char kCallers[] = R"({"callers": [{
  "name": "billing",
  "token_sha256": ["857ca9db7343143497b5cd3ae5731e2a5103d4211b462bebea2da71852b3a3e5"],
  "users": {"exact": ["somebody"], "prefixes": ["tenant-7/"], "own_name": true}
}]})";

// The same, but the token has ended.
constexpr char kEndedToken[] = R"({"callers": [{
  "name": "billing",
  "token_sha256": [{"sha256": "857ca9db7343143497b5cd3ae5731e2a5103d4211b462bebea2da71852b3a3e5",
                    "not_after": "2026-01-01T00:00:00Z"}],
  "users": {"any": true}
}]})";

// The same token, for a caller that may act for all users but not call the method under test.
std::string MayCallNothingOf(const std::string& method) {
  return R"({"callers": [{"name": "billing", "token_sha256": ["857ca9db7343143497b5cd3ae5731e2a5103d4211b462bebea2da71852b3a3e5"], "users": {"any": true}, "methods": [")" +
         method + R"("]}]})";
}

std::vector<Fault> Faults() {
  const auto unauthenticated = [](const std::string& name, const std::string& bearer) {
    return Fault{.row = 4,
                 .name = name,
                 .callers = kCallers,
                 .bearer = bearer,
                 .code = StatusCode::UNAUTHENTICATED,
                 .reason = "CALLER_UNAUTHENTICATED",
                 .requests = 0};
  };
  std::vector<Fault> faults =
      InCalls(kAllCalls, {unauthenticated("NoCredential", ""), unauthenticated("UnknownToken", "token-of-billing-0002"),
                          Fault{.row = 4,
                                .name = "ExpiredToken",
                                .callers = kEndedToken,
                                .bearer = "token-of-billing-0001",
                                .code = StatusCode::UNAUTHENTICATED,
                                .reason = "CALLER_TOKEN_EXPIRED",
                                .requests = 0},
                          Fault{.row = 4,
                                .name = "UserNotAllowed",
                                .callers = kCallers,
                                .bearer = "token-of-billing-0001",
                                .code = StatusCode::PERMISSION_DENIED,
                                .reason = "USER_NOT_ALLOWED",
                                .requests = 0}});
  const std::vector<Fault> methods = InCalls({Call::kAsk, Call::kWhole, Call::kRun, Call::kSearch, Call::kAuthorize},
                                             {Fault{.row = 4,
                                                    .name = "MethodNotAllowed",
                                                    .callers = MayCallNothingOf("igpt.v1.DatasourcesService/*"),
                                                    .bearer = "token-of-billing-0001",
                                                    .code = StatusCode::PERMISSION_DENIED,
                                                    .reason = "METHOD_NOT_ALLOWED",
                                                    .requests = 0}});
  faults.insert(faults.end(), methods.begin(), methods.end());
  return faults;
}

class CallerFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(CallerFaultTest, IsRefusedBeforeIgptHearsOfIt) {
  RunFault(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Callers, CallerFaultTest, ::testing::ValuesIn(Faults()), NameOfParam);

}  // namespace
}  // namespace igpt::testing
