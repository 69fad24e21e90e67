#include "soak/script.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "igpt/testing/http_message.h"

namespace igpt::soak {
namespace {

using testing::Chunk;
using testing::Head;
using testing::HttpHeaders;
using testing::SseEvent;

std::string Whole(int status, const std::string& body, HttpHeaders headers = {}) {
  headers.emplace_back("Content-Type", "application/json");
  headers.emplace_back("Content-Length", std::to_string(body.size()));
  return Head(status, headers) + body;
}

std::string EventJson(const CallPlan& plan, const Mark& mark) {
  const std::string text = WriteMark(mark, plan.padding);
  if (mark.seq == 0) return absl::StrCat(R"({"type":"run.start","seq":0,"id":")", text, R"("})");
  if (plan.fault != Fault::kFlood && mark.seq + 1 == static_cast<uint32_t>(plan.events)) {
    return absl::StrCat(R"({"type":"run.done","seq":)", mark.seq, R"(,"output":")", text, R"("})");
  }
  return absl::StrCat(R"({"type":"run.output_text.delta","seq":)", mark.seq, R"(,"delta":")", text, R"("})");
}

std::string AnswerJson(const CallPlan& plan, Mark mark) {
  std::vector<std::string> items;
  const char* key = plan.rpc == Rpc::kSearch ? "content" : "title";
  for (; mark.seq < static_cast<uint32_t>(plan.events); ++mark.seq) {
    items.push_back(absl::StrCat(R"({")", key, R"(":")", WriteMark(mark, plan.padding), R"("})"));
  }
  mark.seq = 0;
  const std::string one = WriteMark(mark, plan.padding);
  switch (plan.rpc) {
    case Rpc::kSearch:
      return absl::StrCat(R"({"results":[)", absl::StrJoin(items, ","), "]}");
    case Rpc::kList:
      return absl::StrCat(R"({"datasources":[)", absl::StrJoin(items, ","), "]}");
    case Rpc::kAuthorize:
      return absl::StrCat(R"({"url":"https://connect.example/)", one, R"("})");
    case Rpc::kDisconnect:
      return absl::StrCat(R"({"gone":")", one, R"("})");
    default:
      return absl::StrCat(R"({"output":")", one, R"("})");
  }
}

// The part of `bytes` that is sent before a cut: never all of it.
std::string CutOff(const std::string& bytes, double cut) {
  return bytes.substr(0, static_cast<size_t>(static_cast<double>(bytes.size()) * cut));
}

Script::End EndOf(Fault fault) {
  switch (fault) {
    case Fault::kFin:
      return Script::End::kFin;
    case Fault::kRst:
      return Script::End::kRst;
    case Fault::kStall:
      return Script::End::kStall;
    case Fault::kFlood:
      return Script::End::kFlood;
    default:
      return Script::End::kKeepAlive;
  }
}

bool Cuts(Fault fault) {
  return fault == Fault::kFin || fault == Fault::kRst;
}

Script UnaryScript(const CallPlan& plan, const Mark& first, Fault fault) {
  const std::string answer = Whole(200, AnswerJson(plan, first));
  if (fault == Fault::kNone) return {{{plan.pace, answer, plan.events}}};
  if (fault == Fault::kErrorEvent) return {{{plan.pace, Whole(200, R"({"error":"params"})"), 0}}};
  const size_t head = answer.find("\r\n\r\n") + 4;
  // Within the head, or within the body and after its first byte.
  const std::string part = plan.whole_before < 0
                               ? CutOff(answer.substr(0, head), plan.cut)
                               : answer.substr(0, head + 1) + CutOff(answer.substr(head + 1), plan.cut);
  return {{{plan.pace, Cuts(fault) || plan.whole_before >= 0 ? part : "", 0}}, EndOf(fault)};
}

Script StreamScript(const CallPlan& plan, Mark mark, Fault fault) {
  const std::string head = Head(200, {{"Content-Type", "text/event-stream"}, {"Transfer-Encoding", "chunked"}});
  Script script;
  script.end = EndOf(fault);
  if (fault != Fault::kNone && plan.whole_before < 0) {
    if (Cuts(fault)) script.steps.push_back({plan.pace, CutOff(head, plan.cut), 0});
    return script;
  }
  script.steps.push_back({absl::ZeroDuration(), head, 0});
  const int whole = fault == Fault::kNone ? plan.events : fault == Fault::kFlood ? 1 : plan.whole_before;
  for (int i = 0; i < whole; ++i, ++mark.seq) {
    script.steps.push_back({plan.pace, Chunk(SseEvent(EventJson(plan, mark))), i + 1});
  }
  std::string last;
  if (Cuts(fault)) {
    // The event would be complete without the chunk's final line end, so that and more is never sent.
    const std::string chunk = Chunk(SseEvent(EventJson(plan, mark)));
    last = CutOff(chunk.substr(0, chunk.size() - 2), plan.cut);
  } else if (fault == Fault::kErrorEvent) {
    last = Chunk(SseEvent(R"({"error":"params"})"));
  } else if (fault == Fault::kMalformed) {
    last = Chunk(SseEvent(R"({"type":"run.output_text.delta","delta":)"));
  }
  if (script.end == Script::End::kKeepAlive) last.append(testing::kLastChunk);
  script.steps.push_back({plan.pace, std::move(last), whole});
  return script;
}

}  // namespace

Fault FaultOf(const CallPlan& plan, int attempt) {
  return attempt <= plan.faulty_attempts ? plan.fault : Fault::kNone;
}

Script ScriptOf(const CallPlan& plan, const Mark& first) {
  const Fault fault = FaultOf(plan, static_cast<int>(first.attempt));
  if (fault == Fault::kStatus) return {{{plan.pace, Whole(plan.status, "{}"), 0}}};
  if (fault == Fault::kRateLimited) {
    // A call that will be cancelled in its retry delay needs a long one.
    const HttpHeaders headers = plan.cancel == Cancel::kRetryDelay ? HttpHeaders{{"Retry-After", "20"}} : HttpHeaders{};
    return {{{plan.pace, Whole(429, "{}", headers), 0}}};
  }
  return IsStream(plan) ? StreamScript(plan, first, fault) : UnaryScript(plan, first, fault);
}

std::string FloodEvent(const CallPlan& plan, const Mark& mark) {
  return Chunk(SseEvent(EventJson(plan, mark)));
}

}  // namespace igpt::soak
