// A request from the wire to what is sent to iGPT, or to the status that rejects it.
//
// Input: which request ('0' to '4'), whether there is a default user ('0' or '1'), where the bytes are split in two (up
// to 255), the bytes of the message.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "fuzz/input.h"
#include "fuzz/json_reference.h"
#include "fuzz/require.h"
#include "google/protobuf/descriptor.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/byte_buffer.h"
#include "igpt/error.h"
#include "igpt/internal/call/endpoint.h"
#include "igpt/internal/json/codec.h"
#include "service/api/translate.h"
#include "service/contract/call_status.h"
#include "service/observe/library_logs.h"
#include "service/rpc/parse.h"

namespace igptd {
namespace {

namespace v1 = igpt::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using igpt_fuzz::JsonValue;
using igpt_fuzz::Require;
using igpt_fuzz::RequireEqual;

constexpr std::string_view kDefaultUser = "default-user";

// Whether "a.b.c" names a field of the message.
bool HasField(const Descriptor* type, const std::string& path) {
  const FieldDescriptor* field = nullptr;
  for (const std::string& name : std::vector<std::string>(absl::StrSplit(path, '.'))) {
    field = type == nullptr ? nullptr : type->FindFieldByName(name);
    if (field == nullptr) return false;
    type = field->message_type();
  }
  return true;
}

// Checks the error for an invalid request.
void CheckRefusal(const absl::Status& refusal, const Descriptor* type) {
  const std::optional<igpt::Error> error = igpt::ErrorOf(refusal);
  Require(error.has_value() && error->kind == igpt::ErrorKind::kInvalidRequest, "the error's kind is kInvalidRequest");
  Require(!error->violations.empty(), "the error has violations");
  for (const igpt::FieldViolation& violation : error->violations) {
    Require(violation.field.empty() || HasField(type, violation.field), "a violation names a field of the request");
    Require(!violation.description.empty() && igpt_fuzz::IsPrintableAscii(violation.description),
            "a violation's description is one line");
  }

  const CallStatus status = ToCallStatus(refusal, KeyOwner::kIgptd);
  Require(status.status.error_code() == grpc::StatusCode::INVALID_ARGUMENT, "the code is INVALID_ARGUMENT");
  const std::string& message = status.status.error_message();
  const std::string& details = status.status.error_details();
  Require(message.size() + details.size() <= kMaxStatusBytes, "message and details fit");
  google::rpc::Status parsed;
  google::rpc::BadRequest bad;
  Require(parsed.ParseFromString(details) && parsed.details_size() == 2 && parsed.details(1).UnpackTo(&bad),
          "the details are an ErrorInfo and a BadRequest");
  RequireEqual(parsed.message(), message, "the message is in the details too");
  Require(igpt_fuzz::IsUtf8(message) && bad.field_violations_size() > 0, "the details can be read");
}

// The expected contents of the JSON that is sent, in any order.
struct Sent {
  std::vector<std::pair<std::string, std::string>> strings;   // empty ones are left out, unless required
  std::vector<std::pair<std::string, std::string>> literals;  // numbers, true, false and verbatim JSON
};

void CheckSent(const std::string& body, const Sent& sent) {
  Require(igpt_fuzz::JudgeJson(body).utf8 && igpt_fuzz::JudgeJson(body).json, "what is sent is JSON");
  const JsonValue json = igpt_fuzz::ParseJson(body);
  Require(json.keys.size() == sent.strings.size() + sent.literals.size(), "everything is sent, and nothing else");
  const auto member = [&json](const std::string& key) -> const JsonValue& {
    const auto found = std::find(json.keys.begin(), json.keys.end(), key);
    Require(found != json.keys.end(), "what is set is sent");
    return json.elements[found - json.keys.begin()];
  };
  for (const auto& [key, value] : sent.strings) {
    Require(member(key).type == JsonValue::Type::kString, "a string is sent as one");
    RequireEqual(member(key).string, value, "a string is sent as it is");
  }
  for (const auto& [key, value] : sent.literals) RequireEqual(member(key).text, value, "a value is sent as it is");
}

void AddOptional(Sent& sent, const char* key, const std::string& value) {
  if (!value.empty()) sent.strings.emplace_back(key, value);
}

void CheckText(const std::string& text, size_t max_bytes) {
  Require(text.size() <= max_bytes && igpt_fuzz::IsUtf8(text), "a text that passes is UTF-8 and within its limit");
}

void CheckName(const std::string& name, size_t max_bytes = igpt::kMaxNameBytes) {
  CheckText(name, max_bytes);
  Require(std::none_of(name.begin(), name.end(), absl::ascii_iscntrl), "a name that passes can go into a header");
}

void CheckDate(const std::string& date) {
  if (date.empty()) return;
  Require(date.size() == 10 && date[4] == '-' && date[7] == '-', "a date that passes is YYYY-MM-DD");
  for (const size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) Require(absl::ascii_isdigit(date[i]), "and made of digits");
  Require(date.substr(5, 2) >= "01" && date.substr(5, 2) <= "12", "and has a month");
  Require(date.substr(8, 2) >= "01" && date.substr(8, 2) <= "31", "and a day");
}

std::string OutputFormatOf(const igpt::OutputFormat& format) {
  CheckName(format.name);
  Require(igpt_fuzz::JudgeJson(format.schema).ok(), "a schema that passes is JSON");
  Require(igpt_fuzz::ParseJson(format.schema).type == JsonValue::Type::kObject, "and an object");
  std::string json = "{";
  if (!format.name.empty()) {
    // {"user":…}: quotes a string as the SDK does.
    const std::string name = igpt::internal::Encode(igpt::ListRequest(), format.name);
    absl::StrAppend(&json, R"("type":"json_schema","name":)", name.substr(8, name.size() - 9),
                    format.strict ? R"(,"strict":true)" : R"(,"strict":false)", ",");
  } else if (format.strict) {
    json += R"("strict":true,)";
  }
  return absl::StrCat(json, R"("schema":)", format.schema, "}");
}

// Checks what is sent for a request that passed, with the user `user`.

void CheckValid(const igpt::AskRequest& request, const std::string& user) {
  CheckText(request.input, igpt::kMaxInputBytes);
  CheckName(request.quality);
  Require(!request.input.empty(), "a question is required");
  Sent sent;
  sent.strings = {{"user", user}, {"input", request.input}};
  sent.literals = {{"stream", "true"}};
  AddOptional(sent, "quality", request.quality);
  if (request.output_format.kind == igpt::OutputFormat::Kind::kJson) sent.strings.emplace_back("output_format", "json");
  if (request.output_format.kind == igpt::OutputFormat::Kind::kJsonSchema) {
    sent.literals.emplace_back("output_format", OutputFormatOf(request.output_format));
  }
  CheckSent(igpt::internal::Encode(request, user, /*stream=*/true), sent);
}

void CheckValid(const igpt::SearchRequest& request, const std::string& user) {
  CheckText(request.query, igpt::kMaxQueryBytes);
  CheckText(request.filter_people, igpt::kMaxTextBytes);
  CheckDate(request.date_from);
  CheckDate(request.date_to);
  Require(request.date_from.empty() || request.date_to.empty() || request.date_from <= request.date_to, "in order");
  Sent sent;
  sent.strings = {{"user", user}};
  AddOptional(sent, "query", request.query);
  AddOptional(sent, "date_from", request.date_from);
  AddOptional(sent, "date_to", request.date_to);
  AddOptional(sent, "filter_people", request.filter_people);
  Require(request.max_results >= 0, "a number of results is never negative");
  if (request.max_results > 0) sent.literals.emplace_back("max_results", absl::StrCat(request.max_results));
  CheckSent(igpt::internal::Encode(request, user), sent);
}

void CheckValid(const igpt::ListRequest& /*request*/, const std::string& user) {
  CheckSent(igpt::internal::Encode(igpt::ListRequest(), user), {{{"user", user}}, {}});
}

void CheckValid(const igpt::DisconnectRequest& request, const std::string& user) {
  CheckName(request.id);
  Require(!request.id.empty(), "an id is required");
  CheckSent(igpt::internal::Encode(request, user), {{{"user", user}, {"id", request.id}}, {}});
}

void CheckValid(const igpt::AuthorizeRequest& request, const std::string& user) {
  CheckName(request.service);
  CheckName(request.scope);
  CheckName(request.redirect_uri, igpt::kMaxTextBytes);
  CheckText(request.state, igpt::kMaxTextBytes);
  Require(!request.service.empty() && !request.scope.empty(), "service and scope are required");
  Sent sent;
  sent.strings = {{"user", user}, {"service", request.service}, {"scope", request.scope}};
  AddOptional(sent, "redirect_uri", request.redirect_uri);
  AddOptional(sent, "state", request.state);
  CheckSent(igpt::internal::Encode(request, user), sent);
}

template <typename Proto>
void TestRequest(const grpc::ByteBuffer& bytes, std::string_view default_user) {
  Proto proto;
  if (const absl::Status parsed = rpc::ParseRequest(bytes, &proto); !parsed.ok()) {
    return CheckRefusal(parsed, Proto::descriptor());
  }
  const auto request = FromProto(proto);
  std::vector<igpt::FieldViolation> violations = igpt::internal::Check(request, default_user);
  if (!violations.empty()) return CheckRefusal(igpt::InvalidRequest(std::move(violations)), Proto::descriptor());

  RequireEqual(request.user, proto.user(), "the user is the request's");
  const std::string user = request.user.empty() ? std::string(default_user) : request.user;
  Require(!user.empty(), "a user is required");
  CheckName(user);
  CheckValid(request, user);
}

void Test(igpt_fuzz::Input input) {
  // Protobuf would log every string that is not UTF-8.
  [[maybe_unused]] static const bool kDropped = (DropLibraryLogs(), true);
  const unsigned which = input.TakeNumber() % 5;
  const std::string_view default_user = input.TakeNumber() % 2 == 1 ? kDefaultUser : "";
  const size_t split = input.TakeNumber();
  const std::string first(input.rest().substr(0, split));
  const std::string second(input.rest().substr(first.size()));
  const grpc::Slice slices[] = {grpc::Slice(first), grpc::Slice(second)};
  const grpc::ByteBuffer bytes(slices, std::size(slices));
  switch (which) {
    case 0:
      return TestRequest<v1::AskRequest>(bytes, default_user);
    case 1:
      return TestRequest<v1::SearchRequest>(bytes, default_user);
    case 2:
      return TestRequest<v1::ListRequest>(bytes, default_user);
    case 3:
      return TestRequest<v1::DisconnectRequest>(bytes, default_user);
    case 4:
      return TestRequest<v1::AuthorizeRequest>(bytes, default_user);
  }
}

}  // namespace
}  // namespace igptd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  igptd::Test({data, size});
  return 0;
}
