#include "answer_printer.h"

#include <google/protobuf/util/time_util.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace {

using igpt::v1::RunCompleted;
using igpt::v1::RunEvent;

// "2024-05-31" in UTC.
std::string Date(const google::protobuf::Timestamp& time) {
  return google::protobuf::util::TimeUtil::ToString(time).substr(0, 10);
}

std::string Describe(const igpt::v1::Source& source) {
  std::string line = "- " + (source.title().empty() ? source.id() : source.title());
  if (!source.provider().empty()) line += ", " + source.provider();
  if (source.has_item_time()) line += ", " + Date(source.item_time());
  return line;
}

}  // namespace

void AnswerPrinter::Print(const RunEvent& event) {
  switch (event.event_case()) {
    case RunEvent::kDelta:
      text_ += event.delta();
      if (!json_) PrintText(event.delta());
      break;
    case RunEvent::kCompleted:
      completed_ = event.completed();
      break;
    case RunEvent::kReasoning:
      // Only the finished item, since its parts came before it.
      if (event.reasoning().stage() != igpt::v1::STAGE_DONE) break;
      for (const std::string& summary : event.reasoning().summary()) Note("reasoning: " + summary);
      break;
    case RunEvent::kToolCall:
      Note("tool call: " + event.tool_call().name() + " " + event.tool_call().arguments_json());
      break;
    case RunEvent::kToolOutput:
      Note("tool output: " + event.tool_output().name() + ", " + std::to_string(event.tool_output().sources_size()) +
           " sources");
      break;
    default:
      // The answer doesn't need other events, known or new.
      break;
  }
}

void AnswerPrinter::End(bool whole) {
  if (whole) PrintRest();
  if (!at_line_start_) PrintText("\n");
}

void AnswerPrinter::PrintRest() {
  // The last event repeats the whole answer: print it unless the deltas were printed already.
  if (json_ || text_.empty()) {
    switch (completed_.output_case()) {
      case RunCompleted::kJson:
        PrintText(completed_.json());
        break;
      case RunCompleted::kText:
        PrintText(completed_.text());
        break;
      case RunCompleted::OUTPUT_NOT_SET:
        if (json_) PrintText(text_);
        break;
    }
  }
  if (!at_line_start_) PrintText("\n");
  if (!json_ && completed_.sources_size() > 0) {
    PrintText("\n");
    for (const igpt::v1::Source& source : completed_.sources()) PrintText(Describe(source) + "\n");
  }
  if (completed_.has_usage()) {
    Note("usage: " + std::to_string(completed_.usage().input_tokens()) + " tokens read, " +
         std::to_string(completed_.usage().output_tokens()) + " written");
  }
}

void AnswerPrinter::PrintText(const std::string& text) {
  if (text.empty()) return;
  std::cout << text << std::flush;
  at_line_start_ = text.back() == '\n';
}

void AnswerPrinter::Note(const std::string& line) const {
  if (!verbose_) return;
  std::string one_line = line;
  std::replace(one_line.begin(), one_line.end(), '\n', ' ');
  const bool terminal = isatty(STDERR_FILENO) != 0;
  std::cerr << (terminal ? "\033[2m" : "") << one_line << (terminal ? "\033[0m" : "") << '\n';
}
