#include "service/sandbox/json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

namespace igptd::sandbox {
namespace {

// Copying and dumping recurse: deeper JSON than this is not accepted at all.
constexpr size_t kMaxDepth = 64;

static_assert(std::numeric_limits<long double>::digits >= 64, "holds every whole number of 64 bits");

// Beyond this not every whole number is a double.
constexpr double kMaxExactDouble = 0x1p53;

// Builds the value that is parsed. The library's own parser makes a double of each number with a point or an exponent.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Json Take() { return std::move(root_); }

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    return Add(std::abs(value) < kMaxExactDouble ? Json(value) : NumberJson(std::strtold(text.c_str(), nullptr)));
  }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t& value) override { return Add(Json::binary(std::move(value))); }
  bool start_object(size_t) override { return Open(Json::object()); }
  bool end_object() override { return Close(); }
  bool start_array(size_t) override { return Open(Json::array()); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  Json& Place(Json value) {
    if (open_.empty()) return root_ = std::move(value);
    if (open_.back()->is_object()) return (*open_.back())[key_] = std::move(value);
    open_.back()->push_back(std::move(value));
    return open_.back()->back();
  }

  bool Add(Json value) {
    Place(std::move(value));
    return true;
  }

  bool Open(Json container) {
    if (open_.size() == kMaxDepth) return false;
    open_.push_back(&Place(std::move(container)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;  // each in the one before it, to which nothing is added meanwhile
  std::string key_;
};

}  // namespace

std::optional<Json> ParseObject(std::string_view text) {
  Builder builder;
  if (!Json::sax_parse(text, &builder)) return std::nullopt;
  Json json = builder.Take();
  if (!json.is_object()) return std::nullopt;
  return json;
}

long double NumberOf(const Json& number) {
  if (number.is_number_unsigned()) return static_cast<long double>(number.get<uint64_t>());
  if (number.is_number_integer()) return static_cast<long double>(number.get<int64_t>());
  return number.get<double>();
}

Json NumberJson(long double value) {
  if (value == std::round(value)) {
    if (value >= -0x1p63L && value < 0x1p63L) return static_cast<int64_t>(value);
    if (value >= 0 && value < 0x1p64L) return static_cast<uint64_t>(value);
  }
  return static_cast<double>(value);
}

bool Same(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return NumberOf(a) == NumberOf(b);
  if (a.is_array() && b.is_array()) return std::equal(a.begin(), a.end(), b.begin(), b.end(), Same);
  if (a.is_object() && b.is_object()) {
    for (const auto& [key, value] : a.items()) {
      const auto other = b.find(key);
      if (other == b.end() || !Same(value, *other)) return false;
    }
    return a.size() == b.size();
  }
  return a == b;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace igptd::sandbox
