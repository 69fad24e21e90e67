// Writes the JSON of a request, field by field. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "igpt/options.h"
#include "igpt/types.h"

namespace igpt::internal {

// Takes the fields of a request that has passed its check, in the order in which iGPT is to see them: see VisitFields.
// Optional fields that are not set are left out.
class RequestEncoder {
 public:
  // `user` is the one that applies: the request's own or the default. `stream`: an event stream is asked for. The views
  // must outlive this.
  RequestEncoder(std::string_view user, bool stream) : user_(user), stream_(stream) {}

  void User(std::string_view /*own*/) { AddString("user", user_); }
  void RequiredText(std::string_view name, std::string_view value, size_t /*max_bytes*/) { AddString(name, value); }
  void RequiredName(std::string_view name, std::string_view value) { AddString(name, value); }
  void Text(std::string_view name, std::string_view value, size_t /*max_bytes*/) { AddOptional(name, value); }
  void Name(std::string_view name, std::string_view value, size_t /*max_bytes*/ = 0) { AddOptional(name, value); }
  void Days(std::string_view from_name, std::string_view from, std::string_view to_name, std::string_view to) {
    AddOptional(from_name, from);
    AddOptional(to_name, to);
  }
  void Count(std::string_view name, int value);
  void Stream() { AddJson("stream", stream_ ? "true" : "false"); }
  void Format(const OutputFormat& format);

  // Without spare room, which after a long text would be as large again.
  std::string Finish() && {
    text_ += '}';
    text_.shrink_to_fit();
    return std::move(text_);
  }

 private:
  // `json` goes in as it is, and so does `name`: our names need no escaping.
  void AddJson(std::string_view name, std::string_view json);
  void AddString(std::string_view name, std::string_view value);
  void AddOptional(std::string_view name, std::string_view value) {
    if (!value.empty()) AddString(name, value);
  }

  const std::string_view user_;
  const bool stream_;
  std::string text_;
};

}  // namespace igpt::internal
