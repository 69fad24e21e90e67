#include "service/config/config_page.h"

#include <gtest/gtest.h>

namespace igptd {
namespace {

struct PageCase {
  Setting setting;
  std::string line;
};

TEST(ConfigPageTest, ValuesAreShownUnlessTheyAreSecret) {
  const PageCase kCases[] = {
      {{"listen", "0.0.0.0:50051", ""}, "--listen=0.0.0.0:50051  # default"},
      {{"max_retries", "2", "IGPTD_MAX_RETRIES"}, "--max_retries=2  # IGPTD_MAX_RETRIES"},
      {{"port_file", "/run/a@b", "--port_file"}, "--port_file=/run/a@b  # --port_file"},
      {{"port_file", "/run/\xff\n--a=b", "--port_file"}, R"(--port_file=/run/\xff\n--a=b  # --port_file)"},
      {{"igpt_base_url", "https://api.igpt.ai/v1", ""}, "--igpt_base_url=https://api.igpt.ai/v1  # default"},
      {{"igpt_proxy", "", ""}, "--igpt_proxy=  # default"},
      {{"igpt_proxy", "http://proxy:3128", "--igpt_proxy"}, "--igpt_proxy=http://proxy:3128  # --igpt_proxy"},
      {{"igpt_proxy", "http://ada:secret@proxy:3128", "--igpt_proxy"},
       "--igpt_proxy=http://[redacted]@proxy:3128  # --igpt_proxy"},
      {{"igpt_proxy", "http://ada:se/cr@et@proxy:3128/", "--igpt_proxy"},
       "--igpt_proxy=http://[redacted]@proxy:3128/  # --igpt_proxy"},
      {{"igpt_proxy", "ada:secret@proxy:3128", "--igpt_proxy"}, "--igpt_proxy=[redacted]@proxy:3128  # --igpt_proxy"},
      {{"default_user", "ada", "--default_user"}, "--default_user=[redacted]  # --default_user"},
      {{"default_user", "", ""}, "--default_user=  # default"},
      {{"igpt_api_key", "ak:secret", "IGPT_API_KEY"}, "--igpt_api_key=[redacted]  # IGPT_API_KEY"},
  };
  for (const PageCase& c : kCases) EXPECT_EQ(ConfigPage({c.setting}), c.line + "\n");
}

TEST(ConfigPageTest, EverySettingHasALine) {
  EXPECT_EQ(ConfigPage({{"a", "1", ""}, {"b", "2", ""}}), "--a=1  # default\n--b=2  # default\n");
}

}  // namespace
}  // namespace igptd
