#include "igpt/internal/json/reader.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "igpt/internal/json/scalar.h"
#include "igpt/options.h"

namespace igpt::internal {
namespace {

namespace ondemand = simdjson::ondemand;

// In bytes of text; a parser's memory is about six times that. One that had to grow beyond the second is not kept.
constexpr size_t kMinCapacity = 4 << 10;
constexpr size_t kMaxKeptCapacity = 256 << 10;

// No JSON begins with it, but simdjson 3.6 drops it; 3.0 does not.
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// simdjson's tokens reach up to the next one: this is without the white space between.
std::string_view TrimEnd(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

const char* EndOf(std::string_view text) {
  return text.data() + text.size();
}

// A member's key as written, without the quotes. simdjson only says where it starts, but has checked that it ends.
std::string_view RawKey(const ondemand::field& member) {
  const char* begin = member.key().raw();
  const char* end = begin;
  while (*end != '"') end += *end == '\\' ? 2 : 1;
  return {begin, end};
}

}  // namespace

struct JsonReader::Parser {
  ondemand::parser parser;
  ondemand::document document;
  ondemand::value value;  // where the reader is, inside the root or at it; not set for a root that is a scalar
};

// The thread's parser while no reader has it: making one costs more than reading a short text.
std::unique_ptr<JsonReader::Parser>& JsonReader::Spare() {
  thread_local std::unique_ptr<Parser> spare;
  return spare;
}

JsonReader::JsonReader(std::string text) : text_(std::move(text)), parser_(std::move(Spare())) {
  if (!parser_) parser_ = std::make_unique<Parser>();
  Start();
}

JsonReader::~JsonReader() {
  if (parser_->parser.capacity() <= kMaxKeptCapacity) Spare() = std::move(parser_);
}

bool JsonReader::ReadString(std::string* out) {
  if (!Take()) return true;
  // Consumed, because what simdjson skips it takes for a key when a colon follows.
  if (depth_ > 0) static_cast<void>(parser_->value.get_raw_json_string());
  const std::string_view content = token_.substr(1, token_.size() - 2);
  if (content.find('\\') == content.npos) {
    out->assign(content);
    return true;
  }
  const Unescaped unescaped = UnescapeJson(content, out);
  if (unescaped == Unescaped::kMalformed) FailAt(content.data());
  return unescaped == Unescaped::kExact;
}

std::string_view JsonReader::ReadNumber() {
  Take();
  return token_;
}

void JsonReader::ReadArray(absl::FunctionRef<void()> on_element) {
  if (!Take() || !Descend()) return;
  const char* begin = token_.data();
  ondemand::array array;
  if (parser_->value.get_array().get(array) != simdjson::SUCCESS) return FailHere();
  for (simdjson::simdjson_result<ondemand::value> element : array) {
    if (std::move(element).get(parser_->value) != simdjson::SUCCESS) return FailHere();
    if (!Arrive(TrimEnd(parser_->value.raw_json_token()))) return;
    on_element();
    Skip();
    if (failed()) return;
  }
  Ascend(begin);
}

void JsonReader::ReadObject(absl::FunctionRef<void(std::string_view key)> on_member) {
  if (!Take() || !Descend()) return;
  const char* begin = token_.data();
  ondemand::object object;
  if (parser_->value.get_object().get(object) != simdjson::SUCCESS) return FailHere();
  for (simdjson::simdjson_result<ondemand::field> result : object) {
    ondemand::field member;
    if (std::move(result).get(member) != simdjson::SUCCESS) return FailHere();
    std::string_view key = RawKey(member);
    if (key.find('\\') != key.npos) {
      if (UnescapeJson(key, &scratch_) == Unescaped::kMalformed) return FailAt(key.data());
      key = scratch_;
    }
    parser_->value = member.value();
    if (!Arrive(TrimEnd(parser_->value.raw_json_token()))) return;
    on_member(key);
    Skip();
    if (failed()) return;
  }
  Ascend(begin);
}

void JsonReader::Skip() {
  if (!unread_) return;
  switch (type_) {
    case JsonType::kString:
      ReadString(&scratch_);
      return;
    case JsonType::kArray:
      return ReadArray([] {});
    case JsonType::kObject:
      return ReadObject([](std::string_view) {});
    case JsonType::kNull:
    case JsonType::kBool:
    case JsonType::kNumber:
      Take();
  }
}

void JsonReader::Stop(JsonError error) {
  Fail(error, token_.data() - text_.data());
}

JsonError JsonReader::Finish() {
  Skip();
  if (!failed() && EndOf(last_text_) != EndOf(TrimEnd(text_))) FailAt(EndOf(last_text_));
  return error_;
}

void JsonReader::Start() {
  static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);
  text_.reserve(text_.size() + kJsonPadding);
  ondemand::parser& parser = parser_->parser;
  ondemand::document& document = parser_->document;
  const size_t capacity = std::max(kMinCapacity, std::bit_ceil(text_.size()));
  std::string_view token;
  if (text_.starts_with(kByteOrderMark) ||
      (parser.capacity() < capacity && parser.allocate(capacity) != simdjson::SUCCESS) ||
      parser.iterate(text_, text_.capacity()).get(document) != simdjson::SUCCESS ||
      document.raw_json_token().get(token) != simdjson::SUCCESS) {
    return Fail(JsonError::kNotJson, std::string::npos);
  }
  if (token.front() == '{' || token.front() == '[') {
    // Without this token at the end simdjson could read on behind it.
    const char* last = EndOf(TrimEnd(text_)) - 1;
    if (*last != (token.front() == '{' ? '}' : ']')) return FailAt(last);
    if (document.get_value().get(parser_->value) != simdjson::SUCCESS) return FailHere();
  }
  Arrive(TrimEnd(token));
}

bool JsonReader::Arrive(std::string_view token) {
  token_ = token;
  unread_ = true;
  bool valid = true;
  switch (token.empty() ? '\0' : token.front()) {
    case '{':
      type_ = JsonType::kObject;
      break;
    case '[':
      type_ = JsonType::kArray;
      break;
    case '"':
      type_ = JsonType::kString;
      valid = token.size() >= 2 && token.back() == '"';
      break;
    case 'n':
      type_ = JsonType::kNull;
      valid = token == "null";
      break;
    case 't':
    case 'f':
      type_ = JsonType::kBool;
      valid = token == "true" || token == "false";
      break;
    default:
      type_ = JsonType::kNumber;
      valid = IsJsonNumber(token);
  }
  if (!valid) FailAt(token.data());
  return valid;
}

bool JsonReader::Take() {
  last_text_ = token_;
  return std::exchange(unread_, false);
}

bool JsonReader::Descend() {
  if (depth_ == kMaxJsonDepth) Stop(JsonError::kTooDeep);
  ++depth_;
  return !failed();
}

// Leaves an array or object that started at `begin`. Its end is the last thing before the next token.
void JsonReader::Ascend(const char* begin) {
  --depth_;
  const char* next = nullptr;
  if (parser_->document.current_location().get(next) != simdjson::SUCCESS) next = EndOf(text_);
  last_text_ = TrimEnd({begin, next});
}

// The token that simdjson stumbled over, or the end where one is missing.
void JsonReader::FailHere() {
  const char* position = nullptr;
  if (parser_->document.current_location().get(position) != simdjson::SUCCESS) position = EndOf(text_);
  FailAt(position);
}

void JsonReader::FailAt(const char* position) {
  Fail(JsonError::kNotJson, position - text_.data());
}

void JsonReader::Fail(JsonError error, size_t offset) {
  // Not every simdjson implementation looks for bad UTF-8 outside of strings.
  if (error == JsonError::kNotJson && !simdjson::validate_utf8(text_)) error = JsonError::kNotUtf8;
  error_ = error;
  error_offset_ = offset;
  type_ = JsonType::kNull;
  unread_ = false;
}

}  // namespace igpt::internal
