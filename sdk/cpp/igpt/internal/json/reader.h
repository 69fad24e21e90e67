// A strict, lossless walk through one JSON text.
//
// simdjson's on-demand parser finds the tokens; this walks all of them, so that malformed JSON is found wherever it is
// and the text of any value can be handed on as it is. Bounded by kMaxJsonDepth. Never throws.
//
// The reader is always at one value: the root at first, in a callback the element or member that it was called for.
// Each value can be read once; one that isn't read is skipped. Skipped values are checked like the others.
//
//   JsonReader reader(std::move(text));
//   if (reader.type() == JsonType::kObject) {
//     reader.ReadObject([&](std::string_view key) {
//       if (key == "id" && reader.type() == JsonType::kString) reader.ReadString(&id);
//     });
//   }
//   if (reader.Finish() != JsonError::kNone) …
//
// After an error nothing is called back any more and nothing more is read; Finish() reports it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"

namespace igpt::internal {

// How much spare capacity the reader needs after the end of a text. It reserves what is missing.
inline constexpr size_t kJsonPadding = 64;

enum class JsonType { kNull, kBool, kNumber, kString, kArray, kObject };

enum class JsonError {
  kNone,
  kNotJson,
  kNotUtf8,
  kTooDeep,  // more than kMaxJsonDepth arrays and objects inside one another
  kTooLong,  // never found by the reader: for Stop()
};

class JsonReader {
 public:
  explicit JsonReader(std::string text);
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  // Of the value that the reader is at, as long as it wasn't read. After an error: kNull.
  JsonType type() const { return type_; }

  // These read the value that the reader is at, which must be of that type.
  //
  // False when the string holds an escaped lone surrogate, which has no UTF-8: `out` then has U+FFFD in its place.
  bool ReadString(std::string* out);
  // Valid while the reader exists.
  std::string_view ReadNumber();
  void ReadArray(absl::FunctionRef<void()> on_element);
  // `key` is valid until a value is read.
  void ReadObject(absl::FunctionRef<void(std::string_view key)> on_member);
  // Reads a value of any type.
  void Skip();

  // Ends the reading with an error, at the value that the reader is at.
  void Stop(JsonError error);

  // The text of the value that was read last, as it was written. Valid while the reader exists.
  std::string_view last_text() const { return last_text_; }

  // Skips the root unless it was read, and checks that nothing comes after it. Says whether all of the text was JSON.
  JsonError Finish();
  // After an error: at which byte of the text. npos: not known.
  size_t error_offset() const { return error_offset_; }

  // The whole text, for when nothing is to be read any more.
  std::string TakeText() && { return std::move(text_); }

 private:
  struct Parser;  // hides simdjson

  static std::unique_ptr<Parser>& Spare();
  void Start();
  // Moves to the value that begins with this token. False when it isn't one.
  bool Arrive(std::string_view token);
  // False when the value was read already, or after an error.
  bool Take();
  bool Descend();
  void Ascend(const char* begin);
  bool failed() const { return error_ != JsonError::kNone; }
  void FailHere();
  void FailAt(const char* position);
  void Fail(JsonError error, size_t offset);

  std::string text_;
  std::unique_ptr<Parser> parser_;
  std::string_view token_;  // the value's first token; all of it, unless it is an array or object
  JsonType type_ = JsonType::kNull;
  bool unread_ = false;  // the value was not read yet
  int depth_ = 0;        // of arrays and objects
  std::string_view last_text_;
  std::string scratch_;  // a key that had to be unescaped, or a string that is skipped
  JsonError error_ = JsonError::kNone;
  size_t error_offset_ = std::string::npos;
};

}  // namespace igpt::internal
