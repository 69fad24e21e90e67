#include "igpt/internal/json/entities.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"

namespace igpt::internal {
namespace {

constexpr size_t kMaxCodeBytes = 64;

bool IsPlainToken(const std::string& text) {
  return !text.empty() && text.size() <= kMaxCodeBytes && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
  });
}

}  // namespace

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
  if (ReadString(in, out) != Held::kWhole || !IsPlainToken(*out)) *out = "unrecognized";
  return Held::kWhole;
}

}  // namespace igpt::internal
