// The endpoints of the API: one row each. Whatever differs from one to the next is in its row, in Check()
// (request_check.h) and in the codec.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "igpt/internal/json/codec.h"
#include "igpt/internal/policy/route.h"
#include "igpt/types.h"

namespace igpt::internal {

template <typename Request, typename Answer>
struct Endpoint {
  // The body of a request that has passed Check(). `user` is the one that applies: its own or the default.
  using Encode = std::string (*)(const Request& request, std::string_view user);
  // The answer to it, when it comes as a whole.
  using Decode = absl::StatusOr<Answer> (*)(std::string body, const Request& request);

  constexpr Endpoint(Route its_route, Encode its_encode, Decode its_decode)
      : route(its_route), encode(its_encode), decode(its_decode) {}

  Route route;
  Encode encode;
  Decode decode;
};

// Most decoders need to know of the request only whether raw_json is wanted.
template <auto kDecode, typename Request>
auto Decoded(std::string body, const Request& request) {
  return kDecode(std::move(body), request.include_raw);
}

inline constexpr Endpoint<AskRequest, Answer> kAsk = {
    {"recall/ask/", Effect::kReads, /*may_stream=*/true},
    [](const AskRequest& ask, std::string_view user) { return EncodeAsk(ask, user, /*stream=*/false); },
    [](std::string body, const AskRequest& ask) { return DecodeAnswer(std::move(body), DecodingOf(ask)); }};

inline constexpr Endpoint<SearchRequest, SearchAnswer> kSearch = {
    {"recall/search/", Effect::kReads}, EncodeSearch, Decoded<DecodeSearch>};

inline constexpr Endpoint<ListRequest, ListAnswer> kList = {
    {"datasources/list/", Effect::kReads},
    [](const ListRequest& /*list*/, std::string_view user) { return EncodeList(user); },
    Decoded<DecodeList>};

inline constexpr Endpoint<DisconnectRequest, DisconnectAnswer> kDisconnect = {
    {"datasources/disconnect/", Effect::kChanges, /*may_stream=*/false,
     "iGPT has no such datasource; List has the ids"},
    EncodeDisconnect,
    Decoded<DecodeDisconnect>};

inline constexpr Endpoint<AuthorizeRequest, AuthorizeAnswer> kAuthorize = {
    {"connectors/authorize/", Effect::kChanges}, EncodeAuthorize, Decoded<DecodeAuthorize>};

}  // namespace igpt::internal
