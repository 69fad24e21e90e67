// A program that asks igpt::sandbox a question. It prints the answer.
#include <iostream>
#include <variant>

#include "igpt/client.h"
#include "igpt/sandbox.h"

int main() {
  const auto sandbox = igpt::Sandbox::Start();
  if (!sandbox.ok()) {
    std::cerr << sandbox.status() << "\n";
    return 1;
  }
  igpt::Options options;
  options.api_key = igpt::kSandboxApiKey;
  options.user = "demo";
  options.base_url = (*sandbox)->base_url();
  absl::StatusOr<igpt::Client> client = igpt::Client::Create(options);
  if (!client.ok()) {
    std::cerr << client.status() << "\n";
    return 1;
  }
  igpt::AskRequest request;
  request.input = "What did we decide about the budget?";
  const absl::StatusOr<igpt::Answer> answer = client->recall().Ask(request);
  if (!answer.ok()) {
    std::cerr << answer.status() << "\n";
    return 1;
  }
  const auto* text = std::get_if<igpt::Text>(&answer->output);
  if (text == nullptr) return 1;
  std::cout << text->text << "\n";
  return 0;
}
