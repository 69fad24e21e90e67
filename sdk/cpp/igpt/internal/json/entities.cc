#include "igpt/internal/json/entities.h"

#include <string>

#include "igpt/internal/json/scalar.h"

namespace igpt::internal {
Held ReadDatasource(Input& in, Datasource* out) {
  Field fields[] = {
      Bind<ReadString>("id", &out->id),
      Bind<ReadString>("service", &out->service),
      Bind<ReadString>("type", &out->type),
      Bind<ReadString>("status", &out->status),
      Bind<ReadString>("title", &out->title),
      Bind<ReadString>("subtitle", &out->subtitle),
      Bind<ReadDouble>("progress", &out->progress),
      Bind<ReadUnixSeconds>("newest", &out->newest_item_time),
      Bind<ReadUnixSeconds>("oldest", &out->oldest_item_time),
  };
  if (ReadFields(in, fields) != Held::kWhole || in.include_raw) ReadRaw(in, &out->raw_json);
  return Held::kWhole;
}

Held ReadSource(Input& in, Source* out) {
  Field fields[] = {
      Bind<ReadString>("id", &out->id),
      Bind<ReadString>("type", &out->type),
      Bind<ReadUnixSeconds>("timestamp", &out->item_time),
      Bind<ReadString>("provider", &out->provider),
      Bind<ReadString>("picture", &out->picture),
      Bind<ReadString>("title", &out->title),
  };
  return ReadFields(in, fields);
}

Held ReadMetadata(Input& in, std::vector<Source>* out) {
  Field fields[] = {Bind<ReadList<Source, ReadSource>>("sources", out)};
  return ReadFields(in, fields);
}

Held ReadUsage(Input& in, Usage* out) {
  Field fields[] = {
      Bind<ReadInt32>("input_tokens", &out->input_tokens),
      Bind<ReadInt32>("output_tokens", &out->output_tokens),
      Bind<ReadInt32>("total_tokens", &out->total_tokens),
  };
  return ReadFields(in, fields);
}

Held ReadApiError(Input& in, std::string* out) {
  // Whether there is an error: as Python's truth of the value.
  bool reported = false;
  std::string code;
  switch (in.json.type()) {
    case JsonType::kNull:
      break;
    case JsonType::kString:
      ReadString(in, &code);
      reported = !code.empty();
      break;
    case JsonType::kBool:
      in.json.Skip();
      reported = in.json.last_text() == "true";
      break;
    case JsonType::kNumber:
      reported = ToDouble(in.json.ReadNumber()) != 0;
      break;
    case JsonType::kArray:
      in.json.ReadArray([&] { reported = true; });
      break;
    case JsonType::kObject:
      in.json.ReadObject([&](std::string_view key) {
        reported = true;
        if (key == "code" && in.json.type() == JsonType::kString) ReadString(in, &code);
      });
      break;
  }
  if (!reported) return Held::kPart;
  *out = code.empty() ? "unrecognized" : std::move(code);
  return Held::kWhole;
}

}  // namespace igpt::internal
