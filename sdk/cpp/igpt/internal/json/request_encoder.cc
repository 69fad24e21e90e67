#include "igpt/internal/json/request_encoder.h"

#include <nlohmann/json.hpp>

namespace igpt::internal {

void RequestEncoder::AddJson(std::string_view name, std::string_view json) {
  text_ += text_.empty() ? "{\"" : ",\"";
  text_ += name;
  text_ += "\":";
  text_ += json;
}

void RequestEncoder::AddString(std::string_view name, std::string_view value) {
  constexpr int kNoIndent = -1;
  AddJson(name,
          nlohmann::json(value).dump(kNoIndent, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace));
}

void RequestEncoder::Count(std::string_view name, int value) {
  if (value != 0) AddJson(name, std::to_string(value));
}

void RequestEncoder::Format(const OutputFormat& format) {
  if (format.kind == OutputFormat::Kind::kText) return;
  if (format.kind == OutputFormat::Kind::kJson) return AddString("output_format", "json");
  RequestEncoder object("", /*stream=*/false);
  if (!format.name.empty()) {
    object.AddString("type", "json_schema");
    object.AddString("name", format.name);
    object.AddJson("strict", format.strict ? "true" : "false");
  } else if (format.strict) {
    object.AddJson("strict", "true");
  }
  object.AddJson("schema", format.schema);  // as it was written
  AddJson("output_format", std::move(object).Finish());
}

}  // namespace igpt::internal
