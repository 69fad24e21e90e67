#include "service/sandbox/api.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "service/sandbox/answer.h"
#include "service/sandbox/connect_page.h"
#include "service/sandbox/params.h"
#include "service/sandbox/schema_output.h"
#include "service/sandbox/search.h"
#include "service/sandbox/text.h"

namespace igptd::sandbox {
namespace {

constexpr std::string_view kNotice = "Sandbox answer from a built-in mailbox. ";

Json ResultOf(const Message& message, const Account& account) {
  return {{"id", IdFor(message, account.name)},
          {"subject", message.subject},
          {"content", message.body},
          {"from", message.from},
          {"to", message.to},
          {"date", message.date},
          {"thread_id", Cat(account.name, "/", message.thread_id)},
          {"attachments", message.attachments}};
}

// Names of services and scopes become parts of ids: no spaces, and nothing that isn't visible.
bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= 128 && IsVisibleAscii(name);
}

std::string NewRunId(absl::Time now) {
  static std::atomic<int64_t> runs = 0;
  return Cat("run-", absl::ToUnixMillis(now), "-", ++runs);
}

Reply AnswerSearch(Accounts& accounts, const Json& params, std::string_view /*connect_url*/) {
  Params read(params);
  const std::string user = read.Required("user");
  Query query{.words = read.Optional("query"),
              .date_from = read.Date("date_from"),
              .date_to = read.Date("date_to"),
              .people = read.Optional("filter_people")};
  query.limit = read.Count("max_results", query.limit);
  const bool ordered = query.date_from.empty() || query.date_to.empty() || query.date_from <= query.date_to;
  if (!read.ok() || !ordered) return ErrorReply("params");

  const Account account = accounts.Find(user);
  Json results = Json::array();
  for (const Message* message : Search(account.mailbox, query)) results.push_back(ResultOf(*message, account));
  return {.body = {{"results", std::move(results)}}};
}

Reply AnswerList(Accounts& accounts, const Json& params, std::string_view /*connect_url*/) {
  Params read(params);
  const std::string user = read.Required("user");
  if (!read.ok()) return ErrorReply("params");
  return {.body = {{"datasources", accounts.List(user)}}};
}

Reply AnswerDisconnect(Accounts& accounts, const Json& params, std::string_view /*connect_url*/) {
  Params read(params);
  const std::string user = read.Required("user");
  const std::string id = read.Required("id");
  if (!read.ok()) return ErrorReply("params");
  if (!accounts.Disconnect(user, id)) return ErrorReply("not_found", 404);
  return {.body = {{"disconnected", true}}};
}

Reply AnswerAuthorize(Accounts& accounts, const Json& params, std::string_view connect_url) {
  Params read(params);
  Grant grant;
  grant.user = read.Required("user");
  grant.service = read.Required("service");
  const std::string scope = read.Required("scope");
  for (const std::string_view word : Split(scope, ' ')) grant.scopes.emplace_back(word);
  grant.redirect_uri = read.Optional("redirect_uri");
  grant.state = read.Optional("state");
  if (!read.ok() || !IsName(grant.service) || grant.scopes.empty() || grant.scopes.size() > 20 ||
      !std::all_of(grant.scopes.begin(), grant.scopes.end(), IsName) ||
      (!grant.redirect_uri.empty() && !IsRedirectUri(grant.redirect_uri))) {
    return ErrorReply("params");
  }
  return {.body = {{"url", Cat(connect_url, accounts.Offer(std::move(grant)))}}};
}

// The calls with one answer.
struct Call {
  std::string_view path;
  Reply (*answer)(Accounts& accounts, const Json& params, std::string_view connect_url);
};
constexpr Call kCalls[] = {
    {"recall/search", AnswerSearch},
    {"datasources/list", AnswerList},
    {"datasources/disconnect", AnswerDisconnect},
    {"connectors/authorize", AnswerAuthorize},
};

}  // namespace

Reply ErrorReply(std::string_view code, int status) {
  return {.status = status, .body = {{"error", code}}};
}

std::optional<Reply> AnswerCall(std::string_view path, Accounts& accounts, const Json& params,
                                std::string_view connect_url) {
  for (const Call& call : kCalls) {
    if (call.path == path) return call.answer(accounts, params, connect_url);
  }
  return std::nullopt;
}

std::optional<AskReply> AnswerAsk(const Accounts& accounts, const Json& params, absl::Time now) {
  Params read(params);
  AskReply reply;
  reply.stream = read.Flag("stream");
  Run& run = reply.run;
  const std::string user = read.Required("user");
  run.question = read.Required("input");
  run.quality = read.Optional("quality");
  run.reasoning_effort = read.Optional("reasoning_effort");
  run.output_format = read.OutputFormat("output_format");
  read.Optional("instructions");
  if (!read.ok()) return std::nullopt;

  if (run.quality.empty()) run.quality = "cef-1-normal";
  if (run.reasoning_effort.empty()) run.reasoning_effort = "medium";
  run.id = NewRunId(now);
  run.started = now;
  const Account account = accounts.Find(user);
  const Findings findings = FindFor(run.question, account.mailbox);
  run.datasources = accounts.Peek(user);
  run.sources = Sources(findings, account.name);
  if (run.output_format == "text") {
    run.output = Cat(kNotice, Prose(findings));
  } else if (run.output_format == "json") {
    run.output = JsonAnswer(findings, account.name);
  } else {
    run.output = SchemaOutput(run.output_format["schema"], findings);
  }
  return reply;
}

}  // namespace igptd::sandbox
