// ParseApiKeyFile and ParseUserHashKeyFile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/config/config.h"

namespace igptd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string ErrorForKeyFile(const std::string& text) {
  const absl::StatusOr<std::string> key = ParseApiKeyFile("/run/key", text);
  if (key.ok()) return "OK";
  EXPECT_EQ(key.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(key.status().message()),
              AllOf(StartsWith("the key file /run/key "), Not(HasSubstr("secret"))));
  return std::string(key.status().message());
}

TEST(ParseApiKeyFileTest, TrimsOneLineEnd) {
  for (const char* content : {"ak:secret", "ak:secret\n", "ak:secret\r\n"}) {
    const absl::StatusOr<std::string> key = ParseApiKeyFile("/run/key", content);
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(*key, "ak:secret");
  }
}

TEST(ParseApiKeyFileTest, TakesUpTo4KiB) {
  EXPECT_EQ(ErrorForKeyFile(std::string(4096, 'k')), "OK");
  EXPECT_THAT(ErrorForKeyFile(std::string(4097, 'k')), HasSubstr("over 4 KiB"));
}

TEST(ParseApiKeyFileTest, RefusesWhatIsNoKey) {
  for (const char* content : {"", "\n", "\r\n"}) EXPECT_THAT(ErrorForKeyFile(content), HasSubstr("is empty"));
  for (const std::string& content :
       {std::string("ak:secret\n\n"), std::string("ak:secret\r"), std::string("ak:\tsecret"),
        std::string("ak:\0secret", 10), std::string("ak:sécret"), std::string("\nak:secret"),
        std::string("ak:secret\x7f")}) {
    EXPECT_THAT(ErrorForKeyFile(content), HasSubstr("one line of visible ASCII"));
  }
}

TEST(ParseUserHashKeyFileTest, TakesAnyBytesOf16To4096) {
  for (const size_t size : {16, 32, 4096}) {
    const std::string bytes(size, '\0');
    EXPECT_EQ(ParseUserHashKeyFile("/run/key", bytes).value(), bytes);
  }
  for (const size_t size : {0, 15, 4097}) {
    const absl::StatusOr<std::string> key = ParseUserHashKeyFile("/run/key", std::string(size, 's'));
    ASSERT_FALSE(key.ok()) << size;
    EXPECT_EQ(key.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(key.status().message()),
                AllOf(HasSubstr("/run/key"), HasSubstr("--user_hash_key_file"), Not(HasSubstr("sss"))));
  }
}

}  // namespace
}  // namespace igptd
