// Reading a JSON document that people write, with all their mistakes found at once: each with its place as a JSON
// pointer and the remedy, and without the values that it finds. Pure.
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

// The document as text. INVALID_ARGUMENT with the line where it stops being JSON, or when it nests too deep, holds a
// number that is too large, or has a member twice, of which the library would silently take the last.
absl::StatusOr<nlohmann::json> ParseDocument(std::string_view text);

// All mistakes in one line, as INVALID_ARGUMENT.
absl::Status Mistaken(const std::vector<std::string>& mistakes);

// A value, where it is, and where to note what is wrong with it. What it refers to outlives it.
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

// Whether a mistake shows the name of an unknown member, if it can be the misspelt name of one. Where it could be a
// value by mistake, it doesn't.
enum class UnknownNames { kShown, kHidden };

// An object with these members: reads each that it has, in the order of the document.
void ReadObject(const Place& place, const std::map<std::string, Member>& members,
                UnknownNames unknown = UnknownNames::kShown);

void ReadList(const Place& place, const std::function<void(const Place&)>& read);

// A list of strings that are `good`, each once, and at least one. `must` says what each has to be.
void ReadStrings(const Place& place, bool (*good)(absl::string_view), absl::string_view must,
                 const std::function<void(std::string)>& take);

// A number from `min`, or above 0 if that is 0, to a million.
void ReadNumber(const Place& place, double min, bool whole, const std::function<void(double)>& take);

// A member that is true, or isn't there.
void ReadTrue(const Place& place, bool& out);

}  // namespace igptd
