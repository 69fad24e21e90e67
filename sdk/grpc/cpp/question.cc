#include "question.h"

#include <utility>

#include "absl/status/statusor.h"
#include "file.h"

void Question::AddFlags(Flags& flags) {
  flags.AddText("quality", "QUALITY", "e.g. cef-1-high; without this flag, iGPT's default", &quality_);
  flags.AddSwitch("json", "answer in JSON", &json_);
  flags.AddText("schema", "FILE", "answer in JSON that follows the JSON Schema in FILE", &schema_file_);
  flags.AddSwitch("whole", "answer at once, not as it is written", &whole_);
  flags.AddSwitch("verbose", "show reasoning, tool calls and usage on stderr, as lines", &verbose_);
}

absl::Status Question::Take(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return absl::InvalidArgumentError("the question is missing");
  if (arguments.size() > 1) return absl::InvalidArgumentError("put the question in quotes");
  if (json_ && !schema_file_.empty()) return absl::InvalidArgumentError("--json and --schema cannot be combined");
  text_ = arguments.front();
  if (schema_file_.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> schema = ReadFile(schema_file_);
  if (!schema.ok()) return schema.status();
  schema_ = *std::move(schema);
  return absl::OkStatus();
}

AnswerOptions Question::Printing(const Session& session) const {
  return {.events = session.flags.json_output(), .json = json_ || !schema_.empty(), .verbose = verbose_};
}
