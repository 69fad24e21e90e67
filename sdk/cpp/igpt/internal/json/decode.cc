// Decoding of everything but what Ask and Run give. See codec.h.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "igpt/internal/json/codec.h"
#include "igpt/internal/json/entities.h"
#include "igpt/internal/json/fields.h"
#include "igpt/internal/json/status.h"

namespace igpt::internal {
namespace {

// One string or a list of them.
Held ReadStrings(Input& in, std::vector<std::string>* out) {
  if (in.json.type() == JsonType::kString) return ReadString(in, &out->emplace_back());
  return ReadList<std::string, ReadString>(in, out);
}

// Always held whole: its raw_json has what has no field, also when the value is no object at all.
Held ReadSearchResult(Input& in, SearchResult* out) {
  std::optional<std::string> content;
  std::optional<std::string> body;
  Field fields[] = {
      Bind<ReadString>("id", &out->id),       Bind<ReadString>("subject", &out->subject),
      Bind<ReadString>("content", &content),  Bind<ReadString>("body", &body),
      Bind<ReadString>("from", &out->sender), Bind<ReadStrings>("to", &out->recipients),
      Bind<ReadString>("date", &out->date),   Bind<ReadString>("thread_id", &out->thread_id),
  };
  const Held held = ReadFields(in, fields);
  const bool has_both = content && body;
  if (held != Held::kWhole || has_both || in.include_raw) ReadRaw(in, &out->raw_json);
  if (!content) content = std::move(body);
  if (content) out->content = *std::move(content);
  return Held::kWhole;
}

absl::Status NotWhatWasAsked(std::string_view what) {
  return MakeStatus(ErrorKind::kProtocol, absl::StrCat("iGPT's answer ", std::string(what)));
}

}  // namespace

absl::StatusOr<SearchAnswer> DecodeSearch(std::string body, bool include_raw) {
  Input in{JsonReader(std::move(body)), include_raw};
  const JsonType type = in.json.type();
  SearchAnswer answer;
  std::string error;
  Held held = Held::kWhole;
  if (type == JsonType::kArray) {
    held = ReadList<SearchResult, ReadSearchResult>(in, &answer.results);
  } else if (type == JsonType::kObject) {
    Field fields[] = {
        Bind<ReadApiError>("error", &error),
        Bind<ReadList<SearchResult, ReadSearchResult>>("results", &answer.results),
    };
    held = ReadFields(in, fields);
  }
  if (absl::Status status = FinishReading(in.json, error, kAnswerText); !status.ok()) return status;
  if (type != JsonType::kArray && type != JsonType::kObject && type != JsonType::kNull) {
    return NotWhatWasAsked("is not a list of results");
  }
  if (held != Held::kWhole || include_raw) answer.raw_json = std::move(in.json).TakeText();
  return answer;
}

absl::StatusOr<ListAnswer> DecodeList(std::string body, bool include_raw) {
  Input in{JsonReader(std::move(body)), include_raw};
  std::optional<std::vector<Datasource>> datasources;
  std::string error;
  Held held = Held::kWhole;
  if (in.json.type() == JsonType::kArray) {
    held = ReadList<Datasource, ReadDatasource>(in, &datasources.emplace());
  } else if (in.json.type() == JsonType::kObject) {
    Field fields[] = {
        Bind<ReadApiError>("error", &error),
        Bind<ReadList<Datasource, ReadDatasource>>("datasources", &datasources),
    };
    held = ReadFields(in, fields);
  }
  if (absl::Status status = FinishReading(in.json, error, kAnswerText); !status.ok()) return status;
  if (!datasources) return NotWhatWasAsked("is not a list of datasources");
  ListAnswer answer{*std::move(datasources), {}};
  if (held != Held::kWhole || include_raw) answer.raw_json = std::move(in.json).TakeText();
  return answer;
}

absl::StatusOr<DisconnectAnswer> DecodeDisconnect(std::string body, bool include_raw) {
  Input in{JsonReader(std::move(body)), include_raw};
  const bool is_object = in.json.type() == JsonType::kObject;
  std::string error;
  Field fields[] = {Bind<ReadApiError>("error", &error)};
  const bool empty = ReadFields(in, fields) == Held::kWhole && !fields[0].seen;
  if (absl::Status status = FinishReading(in.json, error, kAnswerText); !status.ok()) return status;
  if (!is_object) return NotWhatWasAsked("is not a JSON object");
  DisconnectAnswer answer;
  if (!empty || include_raw) answer.raw_json = std::move(in.json).TakeText();
  return answer;
}

absl::StatusOr<AuthorizeAnswer> DecodeAuthorize(std::string body, bool include_raw) {
  Input in{JsonReader(std::move(body)), include_raw};
  AuthorizeAnswer answer;
  std::string error;
  Field fields[] = {
      Bind<ReadApiError>("error", &error),
      Bind<ReadString>("url", &answer.url),
  };
  const Held held = ReadFields(in, fields);
  if (absl::Status status = FinishReading(in.json, error, kAnswerText); !status.ok()) return status;
  if (answer.url.empty()) return NotWhatWasAsked("has no URL to open");
  if (held != Held::kWhole || include_raw) answer.raw_json = std::move(in.json).TakeText();
  return answer;
}

}  // namespace igpt::internal
