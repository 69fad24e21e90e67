#include "igpt/internal/json/run_item.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "igpt/internal/json/entities.h"

namespace igpt::internal {
namespace {

// A piece of an item's content or summary.
struct Part {
  std::string type;
  std::string text;
};

Held ReadPart(Input& in, Part* out) {
  Field fields[] = {
      Bind<ReadString>("type", &out->type),
      Bind<ReadString>("text", &out->text),
  };
  return ReadFields(in, fields);
}

// Moves the texts of the parts of that type. False when there are parts of another.
bool TakeTexts(std::vector<Part>& parts, std::string_view type, std::vector<std::string>* texts) {
  bool all = true;
  for (Part& part : parts) {
    if (part.type == type) {
      texts->push_back(std::move(part.text));
    } else {
      all = false;
    }
  }
  return all;
}

}  // namespace

Held ReadRunItem(Input& in, RunEventPayload* out) {
  std::string type, name, arguments, call_id, role;
  std::vector<Part> content, summary;
  std::vector<Source> sources;
  Field fields[] = {
      Bind<ReadString>("type", &type),
      Bind<ReadString>("name", &name),
      Bind<ReadString>("arguments", &arguments),
      Bind<ReadString>("callId", &call_id),
      Bind<ReadString>("role", &role),
      Bind<ReadList<Part, ReadPart>>("content", &content),
      Bind<ReadList<Part, ReadPart>>("summary", &summary),
      Bind<ReadMetadata>("metadata", &sources),
  };
  Held held = ReadFields(in, fields);
  bool all = true;
  if (type == "reasoning") {
    Reasoning& reasoning = out->emplace<Reasoning>();
    all = TakeTexts(summary, "summary_text", &reasoning.summary) && content.empty() &&
          HasOnly(fields, {"type", "summary", "content"});
  } else if (type == "function_call") {
    *out = ToolCall{std::move(name), std::move(arguments), std::move(call_id)};
    all = HasOnly(fields, {"type", "name", "arguments", "callId"});
  } else if (type == "function_call_result") {
    *out = ToolOutput{std::move(name), std::move(call_id), std::move(sources)};
    all = HasOnly(fields, {"type", "name", "callId", "metadata"});
  } else if (type == "message") {
    OutputItem& item = out->emplace<OutputItem>();
    item.role = std::move(role);
    all = TakeTexts(content, "output_text", &item.text) && HasOnly(fields, {"type", "role", "content"});
  } else {
    return Held::kNothing;
  }
  return all ? held : Held::kPart;
}

}  // namespace igpt::internal
