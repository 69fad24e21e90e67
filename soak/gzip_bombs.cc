#include "soak/gzip_bombs.h"

#include <zlib.h>

#include <chrono>
#include <cstdint>
#include <utility>

#include "soak/mark.h"
#include "tests/support/http_client.h"

namespace igpt::soak {
namespace {

constexpr std::chrono::seconds kInterval{4};
constexpr size_t kUnpackedBytes = 1 << 30;

// Zeros, in gzip's format.
std::string Bomb() {
  constexpr int kGzip = 16;
  z_stream stream = {};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip + MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY);
  std::string zeros(1 << 20, '\0');
  std::string packed(deflateBound(&stream, kUnpackedBytes) / 256, '\0');
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  for (size_t left = kUnpackedBytes; left > 0; left -= zeros.size()) {
    stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
    stream.avail_in = static_cast<uInt>(zeros.size());
    deflate(&stream, left > zeros.size() ? Z_NO_FLUSH : Z_FINISH);
  }
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// A compressed message of gRPC.
std::string Framed(const std::string& packed) {
  const auto size = static_cast<uint32_t>(packed.size());
  std::string framed = {1};
  for (int shift = 24; shift >= 0; shift -= 8) framed += static_cast<char>(size >> shift);
  return framed + packed;
}

}  // namespace

GzipBombs::GzipBombs(std::string target, Recorder& recorder)
    : target_(std::move(target)), recorder_(recorder), sender_([this] { Send(); }) {}

GzipBombs::~GzipBombs() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  sender_.join();
}

void GzipBombs::Send() {
  const std::string message = Framed(Bomb());
  for (std::unique_lock lock(mutex_); !changed_.wait_for(lock, kInterval, [this] { return over_; });) {
    const testing::HttpReply reply = testing::HttpClient(testing::HttpVersion::kHttp2)
                                         .Post("http://" + target_ + "/igpt.v1.RecallService/Search",
                                               {{"Content-Type", "application/grpc"},
                                                {"TE", "trailers"},
                                                {"grpc-encoding", "gzip"},
                                                {"authorization", std::string("Bearer ") + kToken},
                                                {"x-request-id", kAttack}},
                                               message);
    if (reply.Header("grpc-status") == "0") recorder_.AddIncident("a gzip bomb was answered");
    ++sent_;
  }
}

}  // namespace igpt::soak
