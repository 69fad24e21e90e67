#include "service/access/callers.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
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
#include "service/contract/method_table.h"

namespace igptd {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxMemberName = 24;
constexpr size_t kMaxDnsBytes = 253;
constexpr int kMaxLimit = 1'000'000;
constexpr int kMaxDepth = 16;  // the file's own is 5

// 128 bits in base64.
constexpr size_t kMinTokenBytes = 22;
constexpr size_t kMaxTokenBytes = 4096;

// What `methods` may hold: each method, and before those of a service the service as a whole.
const std::vector<std::string>& MethodPatterns() {
  static const auto* const patterns = [] {
    auto* all = new std::vector<std::string>;
    std::string_view service;
    for (const MethodNames& method : kMethodNames) {
      if (ServiceOf(method.name) != service) {
        service = ServiceOf(method.name);
        all->push_back(std::string(service) + "/*");
      }
      all->emplace_back(method.name);
    }
    return all;
  }();
  return *patterns;
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

// With the kind of name before it, as OpenSSL writes it.
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

// Whether it may be the misspelt name of a member. What can't be one may be anything, also a user or a token, and isn't
// shown.
bool IsMemberName(absl::string_view name) {
  return name.size() <= kMaxMemberName &&
         AllOf(name, [](char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '$'; });
}

// A value, where it is, and where to note what is wrong with it.
struct Place {
  const Json& value;
  std::string pointer;
  std::vector<std::string>& mistakes;

  void Mistake(absl::string_view what) const {
    mistakes.push_back(absl::StrCat(pointer.empty() ? "the file" : pointer, ": ", what));
  }
  Place At(const Json& inner, absl::string_view part) const {
    return {inner, absl::StrCat(pointer, "/", part), mistakes};
  }
};

struct Member {
  std::function<void(const Place&)> read;
  bool required = false;
};

enum class Unknown { kShown, kHidden };

// `unknown`: whether to show the name of a member that there isn't, if it can be one.
void ReadObject(const Place& place, const std::map<std::string, Member>& members, Unknown unknown = Unknown::kShown) {
  if (!place.value.is_object()) return place.Mistake("must be an object");
  const std::string known =
      absl::StrJoin(members, ", ", [](std::string* out, const auto& each) { out->append(each.first); });
  for (const auto& [name, value] : place.value.items()) {
    const Place inner = place.At(value, name);
    if (const auto member = members.find(name); member != members.end()) {
      member->second.read(inner);
    } else if (unknown == Unknown::kShown && IsMemberName(name)) {
      inner.Mistake(absl::StrCat("there is no such member; there are ", known));
    } else {
      place.Mistake(absl::StrCat("has a member that there is not; there are ", known));
    }
  }
  for (const auto& [name, member] : members) {
    if (member.required && !place.value.contains(name)) place.Mistake(absl::StrCat("lacks the member ", name));
  }
}

void ReadList(const Place& place, const std::function<void(const Place&)>& read) {
  if (!place.value.is_array()) return place.Mistake("must be a list");
  for (size_t i = 0; i < place.value.size(); ++i) read(place.At(place.value[i], absl::StrCat(i)));
}

// A list of strings that are `good`, each once, and at least one. `must` says what each has to be.
void ReadStrings(const Place& place, bool (*good)(absl::string_view), absl::string_view must,
                 const std::function<void(std::string)>& take) {
  std::set<std::string> seen;
  ReadList(place, [&](const Place& each) {
    const auto* text = each.value.get_ptr<const std::string*>();
    if (text == nullptr || !good(*text)) return each.Mistake(absl::StrCat("must be ", must));
    if (!seen.insert(*text).second) return each.Mistake("is there twice; remove one");
    take(*text);
  });
  if (place.value.is_array() && place.value.empty()) place.Mistake("must not be empty; remove it");
}

void ReadNumber(const Place& place, double min, bool whole, const std::function<void(double)>& take) {
  const double number = place.value.is_number() ? place.value.get<double>() : -1;
  if (number < min || number > kMaxLimit || number <= 0 || (whole && number != std::floor(number))) {
    return place.Mistake(absl::StrCat("must be a ", whole ? "whole " : "", "number ",
                                      min > 0 ? absl::StrCat("from ", min) : "above 0", " to ", kMaxLimit));
  }
  take(number);
}

// One of the members that only ever say true.
void ReadTrue(const Place& place, bool& out) {
  if (place.value != Json(true)) return place.Mistake("must be true, or not be there");
  out = true;
}

void ReadUsers(const Place& place, Caller& caller) {
  const auto not_empty = [](absl::string_view text) { return !text.empty(); };
  ReadObject(place,
             {{"any", {[&](const Place& p) { ReadTrue(p, caller.any_user); }}},
              {"own_name", {[&](const Place& p) { ReadTrue(p, caller.own_name); }}},
              {"exact", {[&](const Place& p) {
                 ReadStrings(p, not_empty, "a user",
                             [&](std::string user) { caller.users.push_back(std::move(user)); });
               }}},
              {"prefixes", {[&](const Place& p) {
                 ReadStrings(p, not_empty, "what users begin with; for all users, write \"any\": true",
                             [&](std::string prefix) { caller.user_prefixes.push_back(std::move(prefix)); });
               }}}},
             Unknown::kHidden);  // users could be named there, by mistake
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

// DNS names are the same in large and small letters.
std::string Normal(const std::string& san) {
  return san.substr(0, 4) == "DNS:" ? absl::StrCat("DNS:", absl::AsciiStrToLower(san.substr(4))) : san;
}

Caller ReadCaller(const Place& place) {
  Caller caller;
  ReadObject(place, {{"name",
                      {[&](const Place& p) {
                         const auto* name = p.value.get_ptr<const std::string*>();
                         if (name == nullptr || !IsName(*name)) {
                           return p.Mistake("must be 1 to 64 letters, digits, dots, hyphens and underscores");
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
                                    "the SHA-256 of a token in 64 hexadecimal digits; igptd hash-token makes it",
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
    place.Mistake("says nothing to know the caller by; add token_sha256 or san");
  }
  return caller;
}

// What only one caller may have. It isn't said again which other has it: its place comes before.
class Unique {
 public:
  explicit Unique(std::string what) : what_(std::move(what)) {}
  void Add(const std::string& value, const Place& caller) {
    if (value.empty() || seen_.insert(value).second) return;
    caller.Mistake(absl::StrCat("has the ", what_, " that is there before; each must be there once in the file"));
  }

 private:
  const std::string what_;
  std::set<std::string> seen_;
};

// The names of members that come twice in one object: the library would silently take the last.
class RepeatedMembers {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) too_deep_ = true;
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second) {
      repeated_.insert(parsed.get<std::string>());
    }
    return !too_deep_;
  }
  bool too_deep() const { return too_deep_; }
  const std::set<std::string>& repeated() const { return repeated_; }

 private:
  std::vector<std::set<std::string>> open_;
  std::set<std::string> repeated_;
  bool too_deep_ = false;
};

std::string LineOf(std::string_view text, size_t offset) {
  const auto end = text.begin() + static_cast<ptrdiff_t>(std::min(offset, text.size()));
  return absl::StrCat("line ", 1 + std::count(text.begin(), end, '\n'));
}

absl::Status Mistaken(const std::vector<std::string>& mistakes) {
  return absl::InvalidArgumentError(absl::StrJoin(mistakes, "; "));
}

absl::StatusOr<Json> ParseJson(std::string_view text) {
  RepeatedMembers repeated;
  Json json;
  try {
    json = Json::parse(text, std::ref(repeated));
  } catch (const Json::parse_error& error) {
    return Mistaken({absl::StrCat(LineOf(text, error.byte == 0 ? 0 : error.byte - 1),
                                  ": is no JSON: look for a comma, a quote or a bracket that is missing or too many")});
  } catch (const Json::exception&) {
    return Mistaken({"the file: holds a number that is too large"});
  }
  if (repeated.too_deep()) return Mistaken({"the file: nests too deep"});
  std::vector<std::string> mistakes;
  for (const std::string& name : repeated.repeated()) {
    const std::string which = IsMemberName(name) ? absl::StrCat("the member ", name) : "a member";
    mistakes.push_back(absl::StrCat("the file: an object has ", which, " twice; remove one"));
  }
  if (!mistakes.empty()) return Mistaken(mistakes);
  return json;
}

}  // namespace

absl::StatusOr<Callers> ParseCallers(std::string_view json) {
  const absl::StatusOr<Json> parsed = ParseJson(json);
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

TokenHash HashToken(std::string_view token) {
  TokenHash hash;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

absl::StatusOr<std::string> MakeCallerEntry(std::string_view token) {
  if (token.size() < kMinTokenBytes || token.size() > kMaxTokenBytes ||
      !std::all_of(token.begin(), token.end(), IsVisible)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a token must be one line of ", kMinTokenBytes, " to ", kMaxTokenBytes,
                     " visible ASCII characters, without spaces; `openssl rand -hex 32` makes a good one"));
  }
  const TokenHash hash = HashToken(token);
  const std::string bytes(hash.begin(), hash.end());
  return absl::StrCat("{\"name\": \"new-caller\", \"token_sha256\": [\"", absl::BytesToHexString(bytes),
                      "\"], \"users\": {\"own_name\": true}}");
}

}  // namespace igptd
