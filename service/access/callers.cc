#include "service/access/callers.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "igpt/options.h"
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
  constexpr absl::string_view kRules =
      " of at most 1,024 bytes, all of whose characters can be seen, and without a space at either end";
  const auto is_user = [](absl::string_view text) { return igpt::ValidateUser(std::string(text)).ok(); };
  ReadObject(place,
             {{"any", {[&](const Place& p) { ReadTrue(p, caller.any_user); }}},
              {"own_name", {[&](const Place& p) { ReadTrue(p, caller.own_name); }}},
              {"exact", {[&](const Place& p) {
                 ReadStrings(p, is_user, absl::StrCat("a user's name", kRules),
                             [&](std::string user) { caller.users.push_back(std::move(user)); });
               }}},
              {"prefixes", {[&](const Place& p) {
                 ReadStrings(
                     p, is_user,
                     absl::StrCat("the beginning of a user's name", kRules, "; for all users, write \"any\": true"),
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

// A date that RFC 3339 defines, in its usual form.
std::optional<absl::Time> ParseMoment(absl::string_view text) {
  // Abseil's parser also takes blanks around it, "infinite-future" and other lengths of years.
  constexpr absl::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = absl::ascii_isdigit(static_cast<unsigned char>(text[i]));
    if (kForm[i] == '0' ? !digit : text[i] != kForm[i]) return std::nullopt;
  }
  const absl::string_view zone = text.substr(text.find_first_not_of(".0123456789", kForm.size()));
  if (zone != "Z" && zone.size() != absl::string_view("+00:00").size()) return std::nullopt;
  absl::Time moment;
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, text, &moment, &ignored)) return std::nullopt;
  return moment;
}

TokenHash FromHex(const std::string& hex) {
  TokenHash hash;
  OPENSSL_hexstr2buf_ex(hash.data(), hash.size(), /*buflen=*/nullptr, hex.c_str(), /*sep=*/'\0');
  return hash;
}

void ReadHash(const Place& place, TokenHash& hash) {
  const auto* hex = place.value.get_ptr<const std::string*>();
  if (hex == nullptr || !IsTokenHash(*hex)) {
    return place.Mistake("must be the SHA-256 of a token as 64 hexadecimal digits; igptd hash-token prints it");
  }
  hash = FromHex(*hex);
  if (hash == HashToken("") || hash == HashToken("\n")) {
    place.Mistake(
        "is the SHA-256 of nothing, so its token got lost; make one with openssl rand -hex 32, and hash it with igptd "
        "hash-token");
  }
}

void ReadNotAfter(const Place& place, absl::Time& not_after) {
  const auto* text = place.value.get_ptr<const std::string*>();
  const std::optional<absl::Time> moment = text == nullptr ? std::nullopt : ParseMoment(*text);
  if (!moment.has_value()) {
    return place.Mistake("must be a date and time as in RFC 3339, such as 2027-03-31T12:00:00Z");
  }
  not_after = *moment;
}

// Each is a hash, or an object with a hash and its end.
void ReadTokens(const Place& place, std::vector<Token>& tokens) {
  std::set<TokenHash> seen;
  ReadList(place, [&](const Place& each) {
    Token token;
    const size_t mistakes = each.mistakes.size();
    if (each.value.is_object()) {
      ReadObject(each, {{"sha256", {[&](const Place& p) { ReadHash(p, token.hash); }, /*required=*/true}},
                        {"not_after", {[&](const Place& p) { ReadNotAfter(p, token.not_after); }}}});
    } else {
      ReadHash(each, token.hash);
    }
    if (each.mistakes.size() > mistakes) return;
    if (!seen.insert(token.hash).second) return each.Mistake("appears twice; remove one");
    tokens.push_back(token);
  });
  if (place.value.is_array() && place.value.empty()) place.Mistake("must not be empty; add to it or remove it");
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
                     {"token_sha256", {[&](const Place& p) { ReadTokens(p, caller.tokens); }}},
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
    for (const Token& token : caller.tokens) tokens.Add(std::string(token.hash.begin(), token.hash.end()), place);
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
