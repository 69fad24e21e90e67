#include "service/rpc/metadata.h"

#include <algorithm>
#include <cstdint>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace igptd::rpc {
namespace {

// The id goes into headers and log lines, so no character may have a special meaning there.
bool IsAcceptableId(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || std::string_view("-_.:/+=").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

}  // namespace

std::vector<std::string_view> ValuesOf(const grpc::ServerContext& context, std::string_view name) {
  std::vector<std::string_view> values;
  const auto [begin, end] = context.client_metadata().equal_range(grpc::string_ref(name.data(), name.size()));
  for (auto each = begin; each != end; ++each) values.emplace_back(each->second.data(), each->second.size());
  return values;
}

size_t MetadataBytes(const grpc::ServerContext& context) {
  constexpr size_t kEntryBytes = 32;
  size_t bytes = 0;
  for (const auto& [name, value] : context.client_metadata()) bytes += name.size() + value.size() + kEntryBytes;
  return bytes;
}

std::string RequestIdOf(const grpc::ServerContext& context) {
  const std::vector<std::string_view> ids = ValuesOf(context, kRequestIdKey);
  if (!ids.empty() && IsAcceptableId(ids.front())) return std::string(ids.front());
  thread_local absl::BitGen random;
  return absl::StrFormat("%016x%016x", absl::Uniform<uint64_t>(random), absl::Uniform<uint64_t>(random));
}

}  // namespace igptd::rpc
