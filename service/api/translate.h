// Translates protos to the SDK's structs and back. Pure; the only place that knows both.
//
// Strings are moved into the protos, so an event's text is not copied. Strings from the SDK are valid UTF-8, which
// protobuf requires but doesn't check.
#pragma once

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "igpt/types.h"
#include "igpt/v1/connectors.pb.h"
#include "igpt/v1/datasources.pb.h"
#include "igpt/v1/recall.pb.h"
#include "igpt/v1/run_event.pb.h"

namespace igptd {

igpt::AskRequest FromProto(const igpt::v1::AskRequest& proto);
igpt::RunRequest FromProto(const igpt::v1::RunRequest& proto);
igpt::SearchRequest FromProto(const igpt::v1::SearchRequest& proto);
igpt::ListRequest FromProto(const igpt::v1::ListRequest& proto);
igpt::DisconnectRequest FromProto(const igpt::v1::DisconnectRequest& proto);
igpt::AuthorizeRequest FromProto(const igpt::v1::AuthorizeRequest& proto);

// Overwrites `out`.
void ToProto(igpt::RunEvent&& event, igpt::v1::RunEvent* out);
void ToProto(igpt::SearchAnswer&& answer, igpt::v1::SearchResponse* out);
void ToProto(igpt::ListAnswer&& answer, igpt::v1::ListResponse* out);
void ToProto(igpt::DisconnectAnswer&& answer, igpt::v1::DisconnectResponse* out);
void ToProto(igpt::AuthorizeAnswer&& answer, igpt::v1::AuthorizeResponse* out);

igpt::v1::Stage ToProto(igpt::Stage stage);
// Values outside protobuf's range (the years 1 to 9999; 10,000 years) become the nearest value in it. Fractions of a
// nanosecond are dropped.
google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);

}  // namespace igptd
