#include "bench/micro/inputs.h"

#include <string_view>

#include "absl/strings/str_cat.h"

namespace igpt::bench {
namespace {

// Text as in a JSON string, with a few escapes.
std::string EscapedText(size_t bytes) {
  constexpr std::string_view kParagraph =
      "The invoice for the hall is due on Friday; Ada wrote that \\\"the second half can wait\\\" until the keys are "
      "back. Bob has confirmed the caterer for forty people and wants to know who brings the projector.\\n\\n";
  std::string text;
  while (text.size() + kParagraph.size() <= bytes) text += kParagraph;
  text.append(bytes - text.size(), '.');
  return text;
}

std::string SourceJson(int number) {
  return absl::StrCat(R"({"id":"msg_)", 190'000 + number,
                      R"(","type":"message","timestamp":1741944413,"provider":"Ada Lovelace",)",
                      R"("picture":"https://cdn.example.com/avatars/ada-64.png","title":"The hall on Friday"})");
}

std::string SearchResultJson(int number) {
  return absl::StrCat(R"({"id":"msg_)", 190'000 + number, R"(","subject":"Re: The hall on Friday","content":")",
                      EscapedText(400), R"(","from":"Ada Lovelace <ada@example.com>",)",
                      R"("to":["bob@example.com","carol@example.com"],"date":"2025-03-14T09:26:53Z",)",
                      R"("thread_id":"thr_4711"})");
}

}  // namespace

std::string DeltaJson() {
  return R"({"type":"run.output_text.delta","seq":42,"delta":" due on Friday"})";
}

std::string RunDoneJson() {
  std::string json = absl::StrCat(
      R"({"type":"run.done","seq":143,"id":"run_01J9ZK3V7Q","timestampStart":1741944413120,)",
      R"("timestamp":1741944419870,"duration":6750,"output":")", EscapedText(4096),
      R"(","usage":{"input_tokens":18342,"output_tokens":1024,"total_tokens":19366},)", R"("metadata":{"sources":[)");
  for (int i = 0; i < 5; ++i) absl::StrAppend(&json, i == 0 ? "" : ",", SourceJson(i));
  return json + "]}}";
}

std::string SearchJson(size_t bytes) {
  std::string json = R"({"results":[)";
  for (int i = 0; i == 0 || json.size() < bytes - SearchResultJson(i).size() / 2; ++i) {
    absl::StrAppend(&json, i == 0 ? "" : ",", SearchResultJson(i));
  }
  return json + "]}";
}

std::string DeltaStream(int events) {
  std::string stream;
  for (int i = 0; i < events; ++i) absl::StrAppend(&stream, "data: ", DeltaJson(), "\n\n");
  return stream;
}

std::string InvoiceSchema() {
  return R"({"type":"object","properties":{"vendor":{"type":"string"},"total":{"type":"number"},)"
         R"("currency":{"type":"string","enum":["EUR","USD","GBP"]},"due":{"type":"string","format":"date"},)"
         R"("lines":{"type":"array","items":{"type":"object","properties":{"text":{"type":"string"},)"
         R"("amount":{"type":"number"}},"required":["text","amount"],"additionalProperties":false}}},)"
         R"("required":["vendor","total","currency","due","lines"],"additionalProperties":false})";
}

}  // namespace igpt::bench
