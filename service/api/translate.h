// Protos to structs of the SDK, and back. Pure; the only place that knows both.
//
// Strings are moved into the protos: an event is translated without a copy of its text. What the SDK gives is valid
// UTF-8 already, which protobuf needs and doesn't check.
#pragma once

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "igpt/types.h"
#include "igpt/v1/connectors.pb.h"
#include "igpt/v1/datasources.pb.h"
#include "igpt/v1/recall.pb.h"

namespace igptd {

igpt::AskRequest FromProto(const igpt::v1::AskRequest& proto);
igpt::SearchRequest FromProto(const igpt::v1::SearchRequest& proto);
igpt::ListRequest FromProto(const igpt::v1::ListRequest& proto);
igpt::DisconnectRequest FromProto(const igpt::v1::DisconnectRequest& proto);
igpt::AuthorizeRequest FromProto(const igpt::v1::AuthorizeRequest& proto);

// `out` is overwritten.
void ToProto(igpt::AskEvent&& event, igpt::v1::AskResponse* out);
void ToProto(igpt::SearchAnswer&& answer, igpt::v1::SearchResponse* out);
void ToProto(igpt::ListAnswer&& answer, igpt::v1::ListResponse* out);
void ToProto(igpt::DisconnectAnswer&& answer, igpt::v1::DisconnectResponse* out);
void ToProto(igpt::AuthorizeAnswer&& answer, igpt::v1::AuthorizeResponse* out);

// What protobuf's range (the years 1 to 9999; 10,000 years) can't hold becomes the nearest that it can. What is finer
// than a nanosecond is cut off.
google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);

}  // namespace igptd
