// Splits the bytes of a stream into gRPC's messages. A message that arrives in one piece is not copied.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace igpt::bench {

class MessageReader {
 public:
  // Calls on_message(std::string_view) for each message that these bytes complete.
  template <typename OnMessage>
  void Read(std::string_view bytes, OnMessage on_message) {
    while (!bytes.empty()) {
      if (partial_.empty() && bytes.size() >= kPrefix && bytes.size() >= FrameSize(bytes)) {
        on_message(bytes.substr(kPrefix, FrameSize(bytes) - kPrefix));
        bytes.remove_prefix(FrameSize(bytes));
        continue;
      }
      const size_t wanted = partial_.size() < kPrefix ? kPrefix : FrameSize(partial_);
      const size_t taken = std::min(bytes.size(), wanted - partial_.size());
      partial_.reserve(wanted);
      partial_ += bytes.substr(0, taken);
      bytes.remove_prefix(taken);
      if (partial_.size() < kPrefix || partial_.size() < FrameSize(partial_)) continue;
      on_message(std::string_view(partial_).substr(kPrefix));
      partial_.clear();
    }
  }

 private:
  // A byte for compression, which was never offered, and four for the size.
  static constexpr size_t kPrefix = 5;

  static size_t FrameSize(std::string_view prefix) {
    size_t size = 0;
    for (size_t i = 1; i < kPrefix; ++i) size = size << 8 | static_cast<unsigned char>(prefix[i]);
    return kPrefix + size;
  }

  std::string partial_;
};

}  // namespace igpt::bench
