// What ask and run have in common: the flags of a question, and the stream of its answer.
#pragma once

#include <grpcpp/support/sync_stream.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "answer_printer.h"
#include "client/session.h"
#include "flags.h"

class Question {
 public:
  void AddFlags(Flags& flags);

  // Takes the question, and reads the schema if there is one.
  absl::Status Take(const std::vector<std::string>& arguments);

  // Sets the fields that AskRequest and RunRequest share.
  template <typename Request>
  void Fill(Request& request) const {
    request.set_input(text_);
    request.set_quality(quality_);
    request.set_whole_answer(whole_);
    if (json_) request.mutable_output_format()->mutable_json();
    // igptd passes the schema on exactly as written.
    if (!schema_.empty()) request.mutable_output_format()->mutable_json_schema()->set_schema(schema_);
  }

  // Prints the answer as it arrives, to its end.
  template <typename Response>
  grpc::Status Print(const Session& session, grpc::ClientReader<Response>& stream) const {
    AnswerPrinter printer(Printing(session));
    Response response;
    while (stream.Read(&response)) {
      // A heartbeat only keeps the connection alive.
      if (response.has_event()) printer.Print(response.event());
    }
    // Only the status tells whether the answer is complete.
    const grpc::Status status = stream.Finish();
    printer.End(status.ok());
    return status;
  }

 private:
  AnswerOptions Printing(const Session& session) const;

  std::string text_;
  std::string quality_;
  bool json_ = false;
  std::string schema_file_;
  std::string schema_;
  bool whole_ = false;
  bool verbose_ = false;
};
