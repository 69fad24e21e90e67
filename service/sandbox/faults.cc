#include "service/sandbox/faults.h"

#include <algorithm>
#include <functional>

#include "absl/status/status.h"
#include "service/sandbox/text.h"

namespace igptd::sandbox {
namespace {

constexpr size_t kMaxIds = 10000;
constexpr size_t kMaxBytes = size_t{1} << 30;

// One entry of the table: reads the value, and says whether it could.
using Setter = bool (*)(Faults& faults, std::string_view value);

template <std::optional<size_t> Faults::*field>
bool SetCount(Faults& faults, std::string_view value) {
  size_t count = 0;
  if (!ParseNumber(value, count)) return false;
  faults.*field = count;
  return true;
}

template <size_t Faults::*field>
bool SetBytes(Faults& faults, std::string_view value) {
  return ParseNumber(value, faults.*field) && faults.*field > 0 && faults.*field <= kMaxBytes;
}

template <bool Faults::*field>
bool SetFlag(Faults& faults, std::string_view value) {
  faults.*field = true;
  return value.empty();
}

template <std::string Faults::*field>
bool SetText(Faults& faults, std::string_view value) {
  faults.*field = std::string(value);
  return !value.empty();
}

bool SetDelay(Faults& faults, std::string_view value) {
  return absl::ParseDuration(std::string(value), &faults.delay) && faults.delay >= absl::ZeroDuration() &&
         faults.delay <= absl::Hours(1);
}

bool SetStatus(Faults& faults, std::string_view value) {
  return ParseNumber(value, faults.status) && faults.status >= 200 && faults.status <= 599;
}

constexpr std::pair<std::string_view, Setter> kFaults[] = {
    {"delay", SetDelay},
    {"status", SetStatus},
    {"retry-after", SetText<&Faults::retry_after>},
    {"html", SetFlag<&Faults::html>},
    {"empty", SetFlag<&Faults::empty>},
    {"error", SetText<&Faults::error>},
    {"after", SetCount<&Faults::after>},
    {"cut", SetCount<&Faults::cut>},
    {"stall", SetCount<&Faults::stall>},
    {"malformed", SetCount<&Faults::malformed>},
    {"utf8", SetCount<&Faults::utf8>},
    {"huge", SetBytes<&Faults::huge>},
    {"noend", SetFlag<&Faults::noend>},
    {"split", SetBytes<&Faults::split>},
    {"times", SetCount<&Faults::times>},
};

}  // namespace

absl::StatusOr<Faults> ParseFaults(std::string_view header) {
  Faults faults;
  for (const std::string_view part : Split(header, ';')) {
    const size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = Trim(part.substr(0, equals));
    const std::string_view value = Trim(part.substr(std::min(equals + 1, part.size())));
    const auto* fault =
        std::find_if(std::begin(kFaults), std::end(kFaults), [&](const auto& known) { return known.first == name; });
    if (fault == std::end(kFaults)) return absl::InvalidArgumentError(Cat("unknown fault: ", name));
    if (!fault->second(faults, value)) {
      return absl::InvalidArgumentError(Cat("fault with a bad value: ", name));
    }
  }
  return faults;
}

std::string Break(const Faults& faults, size_t number, std::string text) {
  if (faults.huge > 0 && number == faults.after.value_or(0)) {
    constexpr std::string_view kPadding = ",\"padding\":\"";
    text.pop_back();  // the object's "}", which comes back
    text += Cat(kPadding);
    if (text.size() + 2 < faults.huge) text.resize(faults.huge - 2, 'x');
    text += "\"}";
  }
  if (faults.malformed == number) text.pop_back();
  if (faults.utf8 == number) text.insert(text.find('"') + 1, "\xFF");
  return text;
}

bool FaultCounter::Applies(std::string_view request_id, const Faults& faults) {
  if (!faults.times.has_value()) return true;
  const std::lock_guard lock(mutex_);
  if (seen_.size() >= kMaxIds) seen_.clear();
  return seen_[std::string(request_id)]++ < *faults.times;
}

}  // namespace igptd::sandbox
