#include "tests/integration/sdk/http_front.h"

#include <unistd.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "gtest/gtest.h"
#include "tests/support/await.h"
#include "tests/support/loopback.h"

namespace igpt::testing {
namespace {

// In all of them: $0 is the front's port, $1 the target's, $2 a directory, $3 the patience in seconds.
constexpr char kHaproxy[] = R"(global
  nbthread 1
  noreuseport
defaults
  mode http
  timeout connect 5s
  timeout client 2m
  timeout server $3s
frontend front
  bind 127.0.0.1:$0 ssl crt $2/both.pem alpn h2,http/1.1
  default_backend target
backend target
  server target 127.0.0.1:$1
)";

// One process each: children would outlive it when it is killed.
constexpr char kNginx[] = R"(daemon off;
master_process off;
pid $2/pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path $2/body;
  proxy_temp_path $2/proxy;
  fastcgi_temp_path $2/fastcgi;
  uwsgi_temp_path $2/uwsgi;
  scgi_temp_path $2/scgi;
  server {
    listen 127.0.0.1:$0 ssl http2;
    ssl_certificate $2/certificate.pem;
    ssl_certificate_key $2/key.pem;
    location / {
      proxy_pass http://127.0.0.1:$1;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_read_timeout $3s;
    }
  }
}
)";

constexpr char kCaddy[] = R"({
  admin off
  auto_https off
  default_bind 127.0.0.1
  skip_install_trust
}
https://127.0.0.1:$0 {
  tls $2/certificate.pem $2/key.pem
  reverse_proxy 127.0.0.1:$1 {
    flush_interval -1
    transport http {
      read_timeout $3s
    }
  }
}
)";

std::string Unpacked(const char* program) {
  return absl::StrCat(UNPACKED, program);
}

std::string Fill(const char* text, int port, int target, const std::string& directory) {
  return absl::Substitute(text, port, target, directory, kFrontPatienceSeconds);
}

}  // namespace

const char* NameOf(FrontKind kind) {
  switch (kind) {
    case FrontKind::kHaproxy:
      return "haproxy";
    case FrontKind::kNginx:
      return "nginx";
    case FrontKind::kNghttpx:
      return "nghttpx";
    case FrontKind::kCaddy:
      return "caddy";
  }
  return "";
}

HttpFront::HttpFront(FrontKind kind, int target_port) {
  const UniqueFd holder = HoldPort(&port_);
  const Identity identity = authority_.Issue();
  const std::string certificate = directory_.Write("certificate.pem", CertificatePem(identity));
  const std::string key = directory_.Write("key.pem", KeyPem(identity));
  directory_.Write("both.pem", CertificatePem(identity) + KeyPem(identity));
  const std::string& home = directory_.path();
  std::vector<std::string> command;
  switch (kind) {
    case FrontKind::kHaproxy:
      command = {"/usr/sbin/haproxy", "-db", "-f",
                 directory_.Write("haproxy.cfg", Fill(kHaproxy, port_, target_port, home))};
      break;
    case FrontKind::kNginx:
      command = {Unpacked("/sbin/nginx"),
                 "-e",
                 "stderr",
                 "-p",
                 home,
                 "-c",
                 directory_.Write("nginx.conf", Fill(kNginx, port_, target_port, home))};
      break;
    case FrontKind::kNghttpx:
      command = {Unpacked("/sbin/nghttpx"),
                 "--conf=/dev/null",
                 "--single-process",
                 absl::StrCat("--frontend=127.0.0.1,", port_),
                 absl::StrCat("--backend=127.0.0.1,", target_port, ";;proto=http/1.1"),
                 absl::StrCat("--backend-read-timeout=", kFrontPatienceSeconds, "s"),
                 key,
                 certificate};
      break;
    case FrontKind::kCaddy:
      command = {Unpacked("/bin/caddy"),
                 "run",
                 "--adapter",
                 "caddyfile",
                 "--config",
                 directory_.Write("Caddyfile", Fill(kCaddy, port_, target_port, home))};
      break;
  }
  EXPECT_EQ(::access(command[0].c_str(), X_OK), 0) << command[0] << " is missing: ./dev test brings it";
  process_ = std::make_unique<Subprocess>(command, std::vector<std::string>{"HOME=" + home, "XDG_DATA_HOME=" + home});
  EXPECT_TRUE(AwaitTrue([&] { return ConnectToLoopback(port_).get() >= 0; })) << process_->Stderr();
}

std::string HttpFront::url(const std::string& path) const {
  return absl::StrCat("https://127.0.0.1:", port_, path);
}

}  // namespace igpt::testing
