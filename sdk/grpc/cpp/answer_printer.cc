#include "answer_printer.h"

#include <google/protobuf/util/time_util.h>

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "json.h"
#include "terminal/printable.h"

namespace {

using google::protobuf::util::TimeUtil;
using igpt::v1::RunCompleted;
using igpt::v1::RunEvent;

constexpr std::string_view kThinking = "thinking …";

// "2024-05-31" in UTC.
std::string Date(const google::protobuf::Timestamp& time) {
  return TimeUtil::ToString(time).substr(0, 10);
}

std::string Describe(const igpt::v1::Source& source) {
  std::string line = "- " + (source.title().empty() ? source.id() : source.title());
  if (!source.provider().empty()) line += ", " + source.provider();
  if (source.has_item_time()) line += ", " + Date(source.item_time());
  return OneLine(line);
}

std::string Describe(const igpt::v1::Usage& usage) {
  return absl::StrCat("usage: ", usage.input_tokens(), " tokens read, ", usage.output_tokens(), " written");
}

}  // namespace

AnswerPrinter::AnswerPrinter(const AnswerOptions& options)
    : options_(options), wrapper_(options.json ? 0 : out_.width()) {
  Tell("asking …", "");
}

void AnswerPrinter::Print(const RunEvent& event) {
  if (options_.events) return PrintJson(event);
  switch (event.event_case()) {
    case RunEvent::kStarted:
      Tell(kThinking, "");
      break;
    case RunEvent::kDelta:
      text_ += event.delta();
      if (options_.json) {
        Tell("writing …", "");
      } else {
        PrintText(event.delta());
      }
      break;
    case RunEvent::kCompleted:
      completed_ = event.completed();
      break;
    case RunEvent::kTurn:
      if (event.turn().stage() == igpt::v1::STAGE_STARTED) {
        Tell(kThinking, absl::StrCat("turn ", event.turn().number()));
      }
      break;
    case RunEvent::kReasoning: {
      const std::string summary = absl::StrJoin(event.reasoning().summary(), " ");
      if (summary.empty()) {
        Tell(kThinking, "");
      } else if (event.reasoning().stage() == igpt::v1::STAGE_DONE) {  // repeats its parts
        Tell("", absl::StrCat("reasoning: ", summary));
      } else {
        Tell(absl::StrCat("thinking: ", summary), "");
      }
      break;
    }
    case RunEvent::kToolCall:
      Tell(absl::StrCat("calling ", event.tool_call().name(), " …"),
           absl::StrCat("tool call: ", event.tool_call().name(), " ", event.tool_call().arguments_json()));
      break;
    case RunEvent::kToolOutput: {
      const std::string found =
          absl::StrCat(event.tool_output().name(), ", ", event.tool_output().sources_size(), " sources");
      Tell(found, absl::StrCat("tool output: ", found));
      break;
    }
    default:
      // The answer doesn't need other events, known or new.
      break;
  }
}

void AnswerPrinter::End(bool whole) {
  progress_.Erase();
  if (options_.events) return;
  if (whole) PrintRest();
  EndLine();
}

void AnswerPrinter::PrintRest() {
  // The last event repeats the whole answer: print it unless the deltas were printed already.
  if (options_.json || text_.empty()) {
    switch (completed_.output_case()) {
      case RunCompleted::kJson:
        PrintText(completed_.json());
        break;
      case RunCompleted::kText:
        PrintText(completed_.text());
        break;
      case RunCompleted::OUTPUT_NOT_SET:
        if (options_.json) PrintText(text_);
        break;
    }
  }
  EndLine();
  if (!options_.json && completed_.sources_size() > 0) {
    std::string sources;
    for (const igpt::v1::Source& source : completed_.sources()) {
      absl::StrAppend(&sources, "\n", Wrapped(Describe(source), out_.width(), "  "));
    }
    std::cout << out_.Dim(sources) << "\n" << std::flush;
  }
  if (completed_.has_usage()) Tell("", Describe(completed_.usage()));
}

void AnswerPrinter::PrintText(std::string_view text) {
  if (text.empty()) return;
  progress_.Erase();
  // JSON for a program stays as it is, byte for byte.
  const bool exact = options_.json && !out_.is_terminal();
  std::cout << wrapper_.Add(exact ? std::string(text) : Printable(text)) << std::flush;
  at_line_start_ = text.back() == '\n';
}

void AnswerPrinter::Tell(std::string_view now, std::string_view line) {
  if (options_.events) return;
  if (options_.verbose && !line.empty()) {
    if (out_.is_terminal()) EndLine();
    std::cerr << err_.Dim(Wrapped(OneLine(line), err_.width(), "  ")) << "\n" << std::flush;
  } else if (!options_.verbose && !now.empty() && at_line_start_) {
    progress_.Show(now);
  }
}

void AnswerPrinter::EndLine() {
  if (!at_line_start_) std::cout << wrapper_.Add("\n") << std::flush;
  at_line_start_ = true;
}
