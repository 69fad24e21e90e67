#include "service/rpc/request_id.h"

#include <algorithm>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace igptd::rpc {
namespace {

// It goes into headers and log lines: nothing in it may mean something there.
bool IsAcceptable(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || std::string_view("-_.:/+=").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::string NewRequestId() {
  thread_local absl::BitGen random;
  return absl::StrFormat("%016x%016x", absl::Uniform<uint64_t>(random), absl::Uniform<uint64_t>(random));
}

}  // namespace

std::string RequestIdOf(const grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(grpc::string_ref(kRequestIdKey.data(), kRequestIdKey.size()));
  if (found == metadata.end()) return NewRequestId();
  const std::string_view id(found->second.data(), found->second.size());
  return IsAcceptable(id) ? std::string(id) : NewRequestId();
}

}  // namespace igptd::rpc
