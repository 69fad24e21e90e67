#include "bench/upstream/whole_answers.h"

#include <algorithm>

#include "bench/upstream/text.h"

namespace igpt::bench {
namespace {

constexpr int64_t kContentBytes = 400;

std::string WithHead(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string AskBody(int64_t output_bytes) {
  return R"({"output":")" + Words(output_bytes) +
         R"(","usage":{"input_tokens":1200,"output_tokens":300,"total_tokens":1500}})";
}

std::string Result(int64_t number, int64_t content_bytes) {
  const std::string suffix = std::to_string(number);
  return R"({"id":"message-)" + suffix + R"(","subject":"Contract and invoice )" + suffix + R"(","content":")" +
         Words(content_bytes) +
         R"(","from":"ana@example.com","to":["ben@example.com"],"date":"2025-03-14","thread_id":"thread-)" + suffix +
         R"("})";
}

// Every result but the last is followed by a comma, the last by the closing brackets.
std::string SearchBody(int64_t body_bytes) {
  std::string body = R"({"results":[)";
  const int64_t result_bytes = std::ssize(Result(1, kContentBytes)) + 1;
  const int64_t count = std::max<int64_t>(body_bytes / result_bytes, 1);
  for (int64_t number = 1; number <= count; ++number) {
    const std::string_view after = number < count ? "," : "]}";
    const int64_t share = (body_bytes - std::ssize(body)) / (count - number + 1);
    const int64_t content_bytes = share - std::ssize(Result(number, 0)) - std::ssize(after);
    body += Result(number, std::max<int64_t>(content_bytes, 0));
    body += after;
  }
  return body;
}

}  // namespace

std::string_view WholeAnswers::Ask(int64_t output_bytes) {
  std::string& answer = asks_[output_bytes];
  if (answer.empty()) answer = WithHead(AskBody(output_bytes));
  return answer;
}

std::string_view WholeAnswers::Search(int64_t body_bytes) {
  std::string& answer = searches_[body_bytes];
  if (answer.empty()) answer = WithHead(SearchBody(body_bytes));
  return answer;
}

}  // namespace igpt::bench
