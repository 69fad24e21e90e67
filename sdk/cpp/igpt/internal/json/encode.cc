// Encoding of requests. See codec.h.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "igpt/internal/json/codec.h"

namespace igpt::internal {
namespace {

std::string Quoted(std::string_view text) {
  constexpr int kNoIndent = -1;
  return nlohmann::json(text).dump(kNoIndent, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace);
}

// An object whose members come in the order in which they are added.
class ObjectWriter {
 public:
  // `json` goes in as it is, and so does `key`: our keys need no escaping.
  void AddJson(std::string_view key, std::string_view json) {
    text_ += text_.empty() ? "{\"" : ",\"";
    text_ += key;
    text_ += "\":";
    text_ += json;
  }
  void AddString(std::string_view key, std::string_view value) { AddJson(key, Quoted(value)); }
  void AddBool(std::string_view key, bool value) { AddJson(key, value ? "true" : "false"); }
  // Leaves out what is empty.
  void AddOptional(std::string_view key, std::string_view value) {
    if (!value.empty()) AddString(key, value);
  }

  std::string Finish() && { return std::move(text_) + '}'; }

 private:
  std::string text_;
};

std::string EncodeJsonSchema(const OutputFormat& format) {
  ObjectWriter object;
  if (!format.name.empty()) {
    object.AddString("type", "json_schema");
    object.AddString("name", format.name);
    object.AddBool("strict", format.strict);
  } else if (format.strict) {
    object.AddBool("strict", true);
  }
  object.AddJson("schema", format.schema);
  return std::move(object).Finish();
}

}  // namespace

std::string EncodeAsk(const AskRequest& request, std::string_view user, bool stream) {
  ObjectWriter object;
  object.AddString("input", request.input);
  object.AddString("user", user);
  object.AddBool("stream", stream);
  object.AddOptional("quality", request.quality);
  switch (request.output_format.kind) {
    case OutputFormat::Kind::kText:
      break;
    case OutputFormat::Kind::kJson:
      object.AddString("output_format", "json");
      break;
    case OutputFormat::Kind::kJsonSchema:
      object.AddJson("output_format", EncodeJsonSchema(request.output_format));
      break;
  }
  return std::move(object).Finish();
}

std::string EncodeSearch(const SearchRequest& request, std::string_view user) {
  ObjectWriter object;
  object.AddString("user", user);
  object.AddOptional("query", request.query);
  object.AddOptional("date_from", request.date_from);
  object.AddOptional("date_to", request.date_to);
  if (request.max_results != 0) object.AddJson("max_results", std::to_string(request.max_results));
  object.AddOptional("filter_people", request.filter_people);
  return std::move(object).Finish();
}

std::string EncodeList(std::string_view user) {
  ObjectWriter object;
  object.AddString("user", user);
  return std::move(object).Finish();
}

std::string EncodeDisconnect(const DisconnectRequest& request, std::string_view user) {
  ObjectWriter object;
  object.AddString("user", user);
  object.AddString("id", request.id);
  return std::move(object).Finish();
}

std::string EncodeAuthorize(const AuthorizeRequest& request, std::string_view user) {
  ObjectWriter object;
  object.AddString("user", user);
  object.AddString("service", request.service);
  object.AddString("scope", request.scope);
  object.AddOptional("redirect_uri", request.redirect_uri);
  object.AddOptional("state", request.state);
  return std::move(object).Finish();
}

}  // namespace igpt::internal
