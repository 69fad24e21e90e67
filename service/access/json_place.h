// Reads a JSON document that people write, and finds all mistakes in it at once. Each message names the place as a JSON
// pointer and the remedy, and never repeats a value. Pure.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace igptd {

// Parses the document. Returns INVALID_ARGUMENT, with the line, if it is not JSON; also if it is nested too deeply,
// holds a number that is too large, or repeats a member, of which the library would silently take the last.
absl::StatusOr<nlohmann::json> ParseDocument(std::string_view text);

// All mistakes in one line, as INVALID_ARGUMENT.
absl::Status Mistaken(const std::vector<std::string>& mistakes);

// A value, where it is, and the list for mistakes in it. What it refers to must outlive it.
struct Place {
  const nlohmann::json& value;
  std::string pointer;
  std::vector<std::string>& mistakes;

  void Mistake(absl::string_view what) const;
  Place At(const nlohmann::json& inner, absl::string_view part) const;
};

struct Member {
  std::function<void(const Place&)> read;
  bool required = false;
};

// Whether a mistake may show the name of an unknown member, if it looks like a misspelt one. Hide names where somebody
// could have written a value in place of a name.
enum class UnknownNames { kShown, kHidden };

// Reads an object: the members that it has, in the order of the document.
void ReadObject(const Place& place, const std::map<std::string, Member>& members,
                UnknownNames unknown = UnknownNames::kShown);

void ReadList(const Place& place, const std::function<void(const Place&)>& read);

// Reads a list of at least one string, all distinct and `good`. `must` completes "must be …" for a bad one.
void ReadStrings(const Place& place, bool (*good)(absl::string_view), absl::string_view must,
                 const std::function<void(std::string)>& take);

// Reads a number from `min` (or above 0, if `min` is 0) to a million.
void ReadNumber(const Place& place, double min, bool whole, const std::function<void(double)>& take);

// Reads a member that must be true or absent.
void ReadTrue(const Place& place, bool& out);

}  // namespace igptd
