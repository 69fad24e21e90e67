#include "service/sandbox/schema_text.h"

#include <algorithm>
#include <initializer_list>

#include "absl/time/civil_time.h"
#include "service/sandbox/answer.h"
#include "service/sandbox/string_pattern.h"
#include "service/sandbox/text.h"

namespace igptd::sandbox {
namespace {

// Texts longer than this are not made, whatever a schema asks for.
constexpr size_t kMaxLength = 100000;

// Whether the name holds one of the parts: lower case, no separators.
bool Says(std::string_view name, std::initializer_list<std::string_view> parts) {
  const std::string plain = Replaced(Lower(name), {{"_", ""}, {"-", ""}, {" ", ""}});
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return Contains(plain, part); });
}

// The day of the message; for what is due, a week later.
std::string Day(std::string_view name, const Message& message) {
  absl::CivilDay day;
  absl::ParseCivilTime(std::string(message.date.substr(0, 10)), &day);
  return absl::FormatCivilTime(Says(name, {"due", "deadline"}) ? day + 7 : day);
}

std::string Url(const Message& message) {
  return Cat("https://example.com/messages/", message.id);
}

// What the property's name suggests; the first hint counts.
std::string Suggestion(std::string_view name, const Message& message, std::string_view question) {
  const auto says = [&](std::initializer_list<std::string_view> parts) { return Says(name, parts); };
  if (says({"thread"})) return Cat(message.thread_id);
  if (name == "id" || name.ends_with("_id") || name.ends_with("Id")) return Cat(message.id);
  if (name == "to" || says({"recipient"})) return Cat(message.to.front());
  if (says({"timestamp", "sentat", "createdat"})) return Cat(message.date);
  if (says({"due", "deadline", "date"})) return Day(name, message);
  if (says({"mail", "address"})) return Cat(AddressOf(message.from));
  if (says({"url", "link"})) return Url(message);
  if (says({"currency"})) return "EUR";
  if (says({"status"})) return "open";
  if (says({"priority"})) return "medium";
  if (says({"title", "subject", "headline", "topic", "task"})) return Cat(message.subject);
  if (says({"owner", "assignee", "author", "sender", "from", "person", "people", "attendee", "participant", "name"})) {
    return Cat(NameOf(message.from));
  }
  return Cat(BestSentence(message, question));
}

// A text of this format; empty when the format isn't known, and so asks for nothing.
std::string Formatted(std::string_view format, std::string_view name, const Message& message) {
  if (format == "date") return Day(name, message);
  if (format == "date-time") return Cat(Day(name, message), message.date.substr(10));
  if (format == "time") return Cat(message.date.substr(11));
  if (format == "duration") return "P7D";
  if (format.ends_with("email")) return Cat(AddressOf(message.from));
  if (format.ends_with("hostname")) return "example.com";
  if (format == "ipv4") return "192.0.2.1";
  if (format == "ipv6") return "2001:db8::1";
  if (format == "uuid") return Cat("00000000-0000-4000-8000-0000000000", message.id.substr(1));
  if (format.starts_with("uri") || format.starts_with("iri")) return Url(message);
  return "";
}

size_t Limit(const Json& schema, const char* key, size_t otherwise) {
  const auto limit = schema.find(key);
  if (limit == schema.end() || !limit->is_number() || limit->get<double>() < 0) return otherwise;
  return static_cast<size_t>(std::min<double>(limit->get<double>(), kMaxLength));
}

// In characters, as JSON Schema counts.
size_t Length(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) { return !IsContinuation(byte); }));
}

// A match whose length is between the bounds, if repeating its parts gives one.
std::string Matching(std::string_view pattern, size_t shortest, size_t longest) {
  for (int repeats = 1; repeats <= 64; ++repeats) {
    std::string text = ExampleOf(pattern, repeats);
    if (Length(text) > longest) break;
    if (Length(text) >= shortest) return text;
  }
  return ExampleOf(pattern, 0);
}

}  // namespace

std::string SchemaText(const Json& schema, std::string_view name, const Message& message, size_t round,
                       std::string_view question) {
  const size_t shortest = Limit(schema, "minLength", 0);
  const size_t longest = Limit(schema, "maxLength", kMaxLength);
  if (const auto pattern = schema.find("pattern"); pattern != schema.end() && pattern->is_string()) {
    return Matching(pattern->get_ref<const std::string&>(), shortest, longest);
  }
  std::string text;
  if (const auto format = schema.find("format"); format != schema.end() && format->is_string()) {
    text = Formatted(format->get_ref<const std::string&>(), name, message);
  }
  if (text.empty()) {
    text = Suggestion(name, message, question);
    if (round > 0) text += Cat(" (", round + 1, ")");
  }
  while (Length(text) > longest) {
    while (IsContinuation(text.back())) text.pop_back();
    text.pop_back();
  }
  if (const size_t length = Length(text); length < shortest) text.append(shortest - length, '.');
  return text;
}

double SchemaNumber(std::string_view name, const Message& message) {
  if (Says(name, {"confidence", "score"})) return 0.9;
  const size_t euros = message.body.find(" euros");
  if (euros == message.body.npos || !Says(name, {"amount", "total", "price", "cost", "budget", "value"})) return 1;
  const size_t start = message.body.rfind(' ', euros - 1) + 1;
  int64_t amount = 1;
  ParseNumber(Replaced(message.body.substr(start, euros - start), {{",", ""}}), amount);
  return static_cast<double>(amount);
}

}  // namespace igptd::sandbox
