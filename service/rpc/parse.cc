#include "service/rpc/parse.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/empty.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "igpt/error.h"
#include "service/contract/utf8.h"

namespace igptd::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// Reads the message without its type, since that keeps strings that are not UTF-8.
void FindInvalidStrings(const UnknownFieldSet& fields, const Descriptor& type, const std::string& prefix,
                        std::vector<igpt::FieldViolation>& violations) {
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    const FieldDescriptor* declared = type.FindFieldByNumber(field.number());
    if (declared == nullptr || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    const std::string_view text = field.length_delimited();
    if (declared->type() == FieldDescriptor::TYPE_STRING && !IsUtf8(text)) {
      violations.push_back({absl::StrCat(prefix, declared->name()), "must be valid UTF-8"});
    }
    UnknownFieldSet inner;
    if (declared->type() == FieldDescriptor::TYPE_MESSAGE &&
        inner.ParseFromArray(text.data(), static_cast<int>(text.size()))) {
      FindInvalidStrings(inner, *declared->message_type(), absl::StrCat(prefix, declared->name(), "."), violations);
    }
  }
}

bool Parse(grpc::ByteBuffer bytes, google::protobuf::Message* message) {
  grpc::ProtoBufferReader reader(&bytes);
  return reader.status().ok() && message->ParseFromZeroCopyStream(&reader);
}

}  // namespace

absl::Status ParseRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message* request) {
  if (Parse(bytes, request)) return absl::OkStatus();
  const Descriptor& type = *request->GetDescriptor();
  std::vector<igpt::FieldViolation> violations;
  google::protobuf::Empty any;
  if (Parse(bytes, &any)) {
    FindInvalidStrings(any.GetReflection()->GetUnknownFields(any), type, "", violations);
  }
  if (violations.empty())
    violations.push_back({"", absl::StrCat("must be a valid and uncompressed message of type ", type.full_name())});
  return igpt::InvalidRequest(std::move(violations));
}

}  // namespace igptd::rpc
