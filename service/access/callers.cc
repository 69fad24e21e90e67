#include "service/access/callers.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "service/access/json_place.h"
#include "service/contract/method_table.h"

namespace igptd {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxDnsBytes = 253;

// What `methods` may hold: every method and, before the methods of a service, "<service>/*".
const std::vector<std::string>& MethodPatterns() {
  static const auto* const kPatterns = [] {
    auto* all = new std::vector<std::string>;
    std::string_view service;
    for (const MethodFacts& method : kMethodFacts) {
      if (ServiceOf(method.name) != service) {
        service = ServiceOf(method.name);
        all->push_back(std::string(service) + "/*");
      }
      all->emplace_back(method.name);
    }
    return all;
  }();
  return *kPatterns;
}

bool IsVisible(char c) {
  return absl::ascii_isgraph(static_cast<unsigned char>(c));
}

bool AllOf(absl::string_view text, bool (*holds)(char)) {
  return std::all_of(text.begin(), text.end(), holds);
}

bool IsPlain(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
}

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && AllOf(text, IsPlain);
}

// A name with its kind as a prefix, as OpenSSL writes it.
bool IsSan(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = {text.substr(0, 4),
                                                                 text.substr(std::min<size_t>(4, text.size()))};
  const absl::string_view name = parts.second;
  if (parts.first == "DNS:") return !name.empty() && name.size() <= kMaxDnsBytes && AllOf(name, IsPlain);
  return parts.first == "URI:" && !name.empty() && AllOf(name, IsVisible);
}

bool IsTokenHash(absl::string_view text) {
  return text.size() == 2 * TokenHash().size() &&
         AllOf(text, [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); });
}

bool IsMethod(absl::string_view text) {
  return absl::c_linear_search(MethodPatterns(), text);
}

void ReadUsers(const Place& place, Caller& caller) {
  const auto not_empty = [](absl::string_view text) { return !text.empty(); };
  ReadObject(place,
             {{"any", {[&](const Place& p) { ReadTrue(p, caller.any_user); }}},
              {"own_name", {[&](const Place& p) { ReadTrue(p, caller.own_name); }}},
              {"exact", {[&](const Place& p) {
                 ReadStrings(p, not_empty, "a user's name",
                             [&](std::string user) { caller.users.push_back(std::move(user)); });
               }}},
              {"prefixes", {[&](const Place& p) {
                 ReadStrings(p, not_empty, "the beginning of a user's name; for all users, write \"any\": true",
                             [&](std::string prefix) { caller.user_prefixes.push_back(std::move(prefix)); });
               }}}},
             UnknownNames::kHidden);  // somebody could write users' names there by mistake
  if (place.value.is_object() && place.value.empty()) {
    place.Mistake("allows no user; add any, own_name, exact or prefixes");
  }
}

void ReadStartRate(const Place& place, CallerLimits& limits) {
  ReadObject(place,
             {{"per_second",
               {[&](const Place& p) { ReadNumber(p, 0, false, [&](double n) { limits.starts_per_second = n; }); },
                /*required=*/true}},
              {"burst", {[&](const Place& p) { ReadNumber(p, 1, false, [&](double n) { limits.burst = n; }); }}}});
  if (limits.burst == 0) limits.burst = std::max(1.0, limits.starts_per_second);
}

void ReadKey(const Place& place, bool& brings_key) {
  if (place.value != "igptd" && place.value != "caller") return place.Mistake("must be \"igptd\" or \"caller\"");
  brings_key = place.value == "caller";
}

TokenHash FromHex(absl::string_view hex) {
  const std::string bytes = absl::HexStringToBytes(hex);
  TokenHash hash;
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

// DNS names are case-insensitive.
std::string Normal(const std::string& san) {
  return san.substr(0, 4) == "DNS:" ? absl::StrCat("DNS:", absl::AsciiStrToLower(san.substr(4))) : san;
}

Caller ReadCaller(const Place& place) {
  Caller caller;
  ReadObject(place, {{"name",
                      {[&](const Place& p) {
                         const auto* name = p.value.get_ptr<const std::string*>();
                         if (name == nullptr || !IsName(*name)) {
                           return p.Mistake("must be 1 to 64 letters, digits, dots, hyphens or underscores");
                         }
                         caller.limits.name = *name;
                       },
                       /*required=*/true}},
                     {"san", {[&](const Place& p) {
                        ReadStrings(
                            p, IsSan,
                            "a subject alternative name, such as DNS:billing.internal or URI:spiffe://cluster/billing",
                            [&](const std::string& san) { caller.sans.push_back(Normal(san)); });
                      }}},
                     {"token_sha256", {[&](const Place& p) {
                        ReadStrings(p, IsTokenHash,
                                    "the SHA-256 of a token as 64 hexadecimal digits; igptd hash-token prints it",
                                    [&](const std::string& hex) { caller.tokens.push_back(FromHex(hex)); });
                      }}},
                     {"methods", {[&](const Place& p) {
                        ReadStrings(p, IsMethod, absl::StrCat("one of ", absl::StrJoin(MethodPatterns(), ", ")),
                                    [&](std::string method) { caller.methods.push_back(std::move(method)); });
                      }}},
                     {"users", {[&](const Place& p) { ReadUsers(p, caller); }, /*required=*/true}},
                     {"max_in_flight", {[&](const Place& p) {
                        ReadNumber(p, 1, true, [&](double n) { caller.limits.max_in_flight = static_cast<int>(n); });
                      }}},
                     {"start_rate", {[&](const Place& p) { ReadStartRate(p, caller.limits); }}},
                     {"key", {[&](const Place& p) { ReadKey(p, caller.brings_key); }}}});
  if (place.value.is_object() && !place.value.contains("san") && !place.value.contains("token_sha256")) {
    place.Mistake("does not say how to recognize the caller; add token_sha256 or san");
  }
  return caller;
}

// A value that only one caller may have.
class Unique {
 public:
  explicit Unique(std::string what) : what_(std::move(what)) {}
  void Add(const std::string& value, const Place& caller) {
    if (value.empty() || seen_.insert(value).second) return;
    caller.Mistake(absl::StrCat("repeats a ", what_, " from earlier in the file; each must be unique"));
  }

 private:
  const std::string what_;
  std::set<std::string> seen_;
};

}  // namespace

absl::StatusOr<Callers> ParseCallers(std::string_view json) {
  const absl::StatusOr<Json> parsed = ParseDocument(json);
  if (!parsed.ok()) return parsed.status();
  std::vector<std::string> mistakes;
  Callers callers;
  Unique names("name");
  Unique sans("san");
  Unique tokens("token_sha256");
  const auto read_caller = [&](const Place& place) {
    Caller caller = ReadCaller(place);
    names.Add(caller.limits.name, place);
    for (const std::string& san : caller.sans) sans.Add(san, place);
    for (const TokenHash& token : caller.tokens) tokens.Add(std::string(token.begin(), token.end()), place);
    callers.callers.push_back(std::move(caller));
  };
  ReadObject(Place{*parsed, "", mistakes},
             {{"$schema", {[](const Place& p) {
                 if (!p.value.is_string()) p.Mistake("must be a string");
               }}},
              {"open_standard_services", {[&](const Place& p) {
                 if (!p.value.is_boolean()) return p.Mistake("must be true or false");
                 callers.open_standard_services = p.value.get<bool>();
               }}},
              {"callers", {[&](const Place& p) { ReadList(p, read_caller); }, /*required=*/true}}});
  if (!mistakes.empty()) return Mistaken(mistakes);
  return callers;
}

}  // namespace igptd
