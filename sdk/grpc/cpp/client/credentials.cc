#include "client/credentials.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "file.h"

namespace {

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ReadTls(const CommonFlags& flags) {
  if (!flags.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  const std::pair<const std::string&, std::string&> files[] = {{flags.ca_file, options.pem_root_certs},
                                                               {flags.cert_file, options.pem_cert_chain},
                                                               {flags.key_file, options.pem_private_key}};
  for (const auto& [file, pem] : files) {
    if (file.empty()) continue;
    absl::StatusOr<std::string> text = ReadFile(file);
    if (!text.ok()) return text.status();
    pem = *std::move(text);
  }
  return grpc::SslCredentials(options);
}

absl::StatusOr<std::string> ReadToken(const CommonFlags& flags) {
  const char* variable = std::getenv("IGPT_TOKEN");
  absl::StatusOr<std::string> token = variable == nullptr ? "" : variable;
  const std::string source = flags.token_file.empty() ? "IGPT_TOKEN" : flags.token_file;
  if (!flags.token_file.empty()) token = ReadFile(flags.token_file);
  if (!token.ok()) return token;
  absl::StripAsciiWhitespace(&*token);
  if (token->empty() && !flags.token_file.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(source, " holds no token"));
  }
  if (!std::all_of(token->begin(), token->end(), absl::ascii_isgraph)) {
    return absl::InvalidArgumentError(absl::StrCat(source, " holds something that is no token"));
  }
  if (!token->empty() && !flags.tls && !IsLoopback(flags.server)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the token of ", source, " could be read on its way to ", flags.server, "; use --tls"));
  }
  return token;
}

}  // namespace

absl::StatusOr<Credentials> ReadCredentials(const CommonFlags& flags) {
  auto channel = ReadTls(flags);
  if (!channel.ok()) return channel.status();
  absl::StatusOr<std::string> token = ReadToken(flags);
  if (!token.ok()) return token.status();
  return Credentials{.channel = *std::move(channel), .token = *std::move(token)};
}

bool IsLoopback(std::string_view server) {
  std::string host(server.substr(0, server.rfind(':')));
  if (host == "localhost") return true;
  in_addr v4 = {};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return host == "[::1]";
}
