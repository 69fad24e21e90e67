// The endpoints of the API: the fields of each request, from which its JSON and its check are made, and a row for what
// else differs from one endpoint to the next.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "igpt/error.h"
#include "igpt/internal/json/codec.h"
#include "igpt/internal/json/request_encoder.h"
#include "igpt/internal/policy/request_checker.h"
#include "igpt/internal/policy/route.h"
#include "igpt/options.h"
#include "igpt/transport.h"
#include "igpt/types.h"

namespace igpt::internal {

// Tell the fields of a request, in the order in which iGPT is to see them, to a RequestEncoder or a RequestChecker:
// what is added here is sent and checked.

// What Ask and Run have in common.
template <typename Question, typename Visitor>
void VisitQuestion(const Question& question, Visitor& fields) {
  fields.RequiredText("input", question.input, kMaxInputBytes);
  fields.User(question.user);
  fields.Stream();
  fields.Name("quality", question.quality);
  fields.Format(question.output_format);
}

template <typename Visitor>
void VisitFields(const AskRequest& ask, Visitor& fields) {
  VisitQuestion(ask, fields);
}

template <typename Visitor>
void VisitFields(const RunRequest& run, Visitor& fields) {
  VisitQuestion(run, fields);
  fields.Name("reasoning_effort", run.reasoning_effort);
  fields.Text("instructions", run.instructions, kMaxInstructionsBytes);
}

template <typename Visitor>
void VisitFields(const SearchRequest& search, Visitor& fields) {
  fields.User(search.user);
  fields.Text("query", search.query, kMaxQueryBytes);
  fields.Days("date_from", search.date_from, "date_to", search.date_to);
  fields.Count("max_results", search.max_results);
  fields.Text("filter_people", search.filter_people, kMaxTextBytes);
}

template <typename Visitor>
void VisitFields(const ListRequest& list, Visitor& fields) {
  fields.User(list.user);
}

template <typename Visitor>
void VisitFields(const DisconnectRequest& disconnect, Visitor& fields) {
  fields.User(disconnect.user);
  fields.RequiredName("id", disconnect.id);
}

template <typename Visitor>
void VisitFields(const AuthorizeRequest& authorize, Visitor& fields) {
  fields.User(authorize.user);
  fields.RequiredName("service", authorize.service);
  fields.RequiredName("scope", authorize.scope);
  fields.Name("redirect_uri", authorize.redirect_uri, kMaxTextBytes);
  fields.Text("state", authorize.state, kMaxTextBytes);
}

// The body of a request that has passed Check(). `user` is the one that applies: its own or the default. `stream`: an
// event stream is asked for.
template <typename Request>
std::string Encode(const Request& request, std::string_view user, bool stream = false) {
  RequestEncoder encoder(user, stream);
  VisitFields(request, encoder);
  return std::move(encoder).Finish();
}

// Every violation of the request; empty when it may be sent. `default_user` stands in for an empty user.
template <typename Request>
std::vector<FieldViolation> Check(const Request& request, std::string_view default_user) {
  RequestChecker checker(default_user);
  VisitFields(request, checker);
  return std::move(checker).Finish();
}

template <typename Request, typename Answer>
struct Endpoint {
  // The answer to a request, when it comes as a whole.
  using Decode = absl::StatusOr<Answer> (*)(std::string body, const Request& request);

  // The functions of a Transport that answer it instead.
  using Function = absl::StatusOr<Answer> (Transport::*)(const Request&, const CallOptions&);
  using StreamFunction = std::unique_ptr<EventSource> (Transport::*)(const Request&, const CallOptions&);

  constexpr Endpoint(Route its_route, Decode its_decode, Function its_function, StreamFunction its_stream = nullptr)
      : route(its_route), decode(its_decode), function(its_function), stream(its_stream) {}

  Route route;
  Decode decode;
  Function function;
  StreamFunction stream;
};

// Most decoders need to know of the request only whether raw_json is wanted.
template <auto kDecode, typename Request>
auto Decoded(std::string body, const Request& request) {
  return kDecode(std::move(body), request.include_raw);
}

template <typename Question>
absl::StatusOr<Answer> DecodedAnswer(std::string body, const Question& question) {
  return DecodeAnswer(std::move(body), DecodingOf(question));
}

inline constexpr Endpoint<AskRequest, Answer> kAsk = {{"recall/ask/", Effect::kReads, /*may_stream=*/true},
                                                      DecodedAnswer<AskRequest>,
                                                      &Transport::Ask,
                                                      &Transport::AskStream};

inline constexpr Endpoint<RunRequest, Answer> kRun = {{"recall/run/", Effect::kReads, /*may_stream=*/true},
                                                      DecodedAnswer<RunRequest>,
                                                      &Transport::Run,
                                                      &Transport::RunStream};

inline constexpr Endpoint<SearchRequest, SearchAnswer> kSearch = {
    {"recall/search/", Effect::kReads}, Decoded<DecodeSearch>, &Transport::Search};

inline constexpr Endpoint<ListRequest, ListAnswer> kList = {
    {"datasources/list/", Effect::kReads}, Decoded<DecodeList>, &Transport::List};

inline constexpr Endpoint<DisconnectRequest, DisconnectAnswer> kDisconnect = {
    {"datasources/disconnect/", Effect::kChanges, /*may_stream=*/false,
     "iGPT has no such datasource; List has the ids"},
    Decoded<DecodeDisconnect>,
    &Transport::Disconnect};

inline constexpr Endpoint<AuthorizeRequest, AuthorizeAnswer> kAuthorize = {
    {"connectors/authorize/", Effect::kChanges}, Decoded<DecodeAuthorize>, &Transport::Authorize};

}  // namespace igpt::internal
