#include "service/access/json_place.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace igptd {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxMemberName = 24;
constexpr int kMaxLimit = 1'000'000;
constexpr int kMaxDepth = 16;

// Whether `name` could be a misspelt member. Anything else could be a user or a token, so it isn't shown.
bool IsMemberName(absl::string_view name) {
  return name.size() <= kMaxMemberName && std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '$';
         });
}

// Collects members that appear twice in one object: the library would silently take the last.
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

}  // namespace

absl::Status Mistaken(const std::vector<std::string>& mistakes) {
  return absl::InvalidArgumentError(absl::StrJoin(mistakes, "; "));
}

absl::StatusOr<Json> ParseDocument(std::string_view text) {
  RepeatedMembers repeated;
  Json json;
  try {
    json = Json::parse(text, std::ref(repeated));
  } catch (const Json::parse_error& error) {
    return Mistaken({absl::StrCat(LineOf(text, error.byte == 0 ? 0 : error.byte - 1),
                                  ": not valid JSON; look for a missing or extra comma, quote or bracket")});
  } catch (const Json::exception&) {
    return Mistaken({"the file: holds a number that is too large"});
  }
  if (repeated.too_deep()) return Mistaken({"the file: is nested too deeply"});
  std::vector<std::string> mistakes;
  for (const std::string& name : repeated.repeated()) {
    const std::string which = IsMemberName(name) ? absl::StrCat("the member ", name) : "a member";
    mistakes.push_back(absl::StrCat("the file: an object has ", which, " twice; remove one"));
  }
  if (!mistakes.empty()) return Mistaken(mistakes);
  return json;
}

void Place::Mistake(absl::string_view what) const {
  mistakes.push_back(absl::StrCat(pointer.empty() ? "the file" : pointer, ": ", what));
}

Place Place::At(const Json& inner, absl::string_view part) const {
  return {inner, absl::StrCat(pointer, "/", part), mistakes};
}

void ReadObject(const Place& place, const std::map<std::string, Member>& members, UnknownNames unknown) {
  if (!place.value.is_object()) return place.Mistake("must be an object");
  const std::string known =
      absl::StrJoin(members, ", ", [](std::string* out, const auto& each) { out->append(each.first); });
  for (const auto& [name, value] : place.value.items()) {
    const Place inner = place.At(value, name);
    if (const auto member = members.find(name); member != members.end()) {
      member->second.read(inner);
    } else if (unknown == UnknownNames::kShown && IsMemberName(name)) {
      inner.Mistake(absl::StrCat("unknown member; known members are ", known));
    } else {
      place.Mistake(absl::StrCat("has an unknown member; known members are ", known));
    }
  }
  for (const auto& [name, member] : members) {
    if (member.required && !place.value.contains(name)) place.Mistake(absl::StrCat("requires the member ", name));
  }
}

void ReadList(const Place& place, const std::function<void(const Place&)>& read) {
  if (!place.value.is_array()) return place.Mistake("must be a list");
  for (size_t i = 0; i < place.value.size(); ++i) read(place.At(place.value[i], absl::StrCat(i)));
}

void ReadStrings(const Place& place, bool (*good)(absl::string_view), absl::string_view must,
                 const std::function<void(std::string)>& take) {
  std::set<std::string> seen;
  ReadList(place, [&](const Place& each) {
    const auto* text = each.value.get_ptr<const std::string*>();
    if (text == nullptr || !good(*text)) return each.Mistake(absl::StrCat("must be ", must));
    if (!seen.insert(*text).second) return each.Mistake("appears twice; remove one");
    take(*text);
  });
  if (place.value.is_array() && place.value.empty()) place.Mistake("must not be empty; add to it or remove it");
}

void ReadNumber(const Place& place, double min, bool whole, const std::function<void(double)>& take) {
  const double number = place.value.is_number() ? place.value.get<double>() : -1;
  if (number < min || number > kMaxLimit || number <= 0 || (whole && number != std::floor(number))) {
    return place.Mistake(absl::StrCat("must be a ", whole ? "whole " : "", "number ",
                                      min > 0 ? absl::StrCat("from ", min) : "above 0 and up", " to ", kMaxLimit));
  }
  take(number);
}

void ReadTrue(const Place& place, bool& out) {
  if (place.value != Json(true)) return place.Mistake("must be true or absent");
  out = true;
}

}  // namespace igptd
