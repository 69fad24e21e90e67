// A tour of igpt::sdk: a question with its progress, an answer in a given shape, a search, and twenty questions at
// once. Ctrl-C ends whatever runs.
//
//   IGPT_API_KEY=… tour ada "What did we decide about the budget?"
#include <pthread.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "igpt/client.h"
#include "igpt/error.h"

namespace {

// Prints the answer as it is written, and on stderr what iGPT does meanwhile.
absl::Status AskWithProgress(igpt::Recall recall, const std::string& question, const igpt::CallOptions& options) {
  igpt::EventStream stream = recall.AskStream({.input = question}, options);
  for (const absl::StatusOr<igpt::RunEvent>& event : stream) {
    if (!event.ok()) return event.status();
    if (const auto* delta = event->payload.As<igpt::Delta>()) {
      std::cout << delta->text << std::flush;
    } else if (const auto* call = event->payload.As<igpt::ToolCall>()) {
      std::cerr << "[" << call->name << "]\n";
    }
  }
  std::cout << "\n";
  return absl::OkStatus();
}

absl::Status AskForJson(igpt::Recall recall, const std::string& question, const igpt::CallOptions& options) {
  const std::string schema =
      R"({"type":"object","properties":{"answer":{"type":"string"}},"required":["answer"],"additionalProperties":false})";
  const absl::StatusOr<igpt::Answer> answer = recall.Ask(
      {.input = question, .output_format = {.kind = igpt::OutputFormat::Kind::kJsonSchema, .schema = schema}}, options);
  if (!answer.ok()) return answer.status();
  if (const auto* json = std::get_if<igpt::Json>(&answer->output)) std::cout << json->json << "\n";
  return absl::OkStatus();
}

absl::Status Search(igpt::Recall recall, const std::string& query, const igpt::CallOptions& options) {
  const absl::StatusOr<igpt::SearchAnswer> found = recall.Search({.query = query, .max_results = 3}, options);
  if (!found.ok()) return found.status();
  for (const igpt::SearchResult& result : found->results) std::cout << "- " << result.subject << "\n";
  return absl::OkStatus();
}

absl::Status AskTwentyAtOnce(igpt::Recall recall, const std::string& question, const igpt::CallOptions& options) {
  std::vector<igpt::EventStream> streams;
  streams.reserve(20);
  for (int i = 0; i < 20; ++i) streams.push_back(recall.AskStream({.input = question}, options));
  for (igpt::EventStream& stream : streams) {
    if (const absl::StatusOr<igpt::Answer> answer = stream.Finish(); !answer.ok()) return answer.status();
  }
  std::cout << streams.size() << " answers\n";
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const char* key = std::getenv("IGPT_API_KEY");
  if (argc != 3 || key == nullptr) {
    std::cerr << "IGPT_API_KEY=… tour <user> <question>\n";
    return 2;
  }
  // Ctrl-C comes to a thread of its own, which asks the calls to stop.
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, nullptr);
  std::stop_source stop;
  std::thread([stop, interrupt]() mutable {
    int signal = 0;
    sigwait(&interrupt, &signal);
    stop.request_stop();
  }).detach();

  igpt::Options options = {.api_key = key, .user = argv[1]};
  if (const char* url = std::getenv("IGPT_BASE_URL")) options.base_url = url;
  const absl::StatusOr<igpt::Client> client = igpt::Client::Create(options);
  absl::Status status = client.status();
  for (const auto step : {AskWithProgress, AskForJson, Search, AskTwentyAtOnce}) {
    if (status.ok()) status = step(client->recall(), argv[2], {.stop = stop.get_token()});
  }
  if (!status.ok()) std::cerr << "tour: " << status.message() << "\n";
  return status.ok() ? 0 : igpt::KindOf(status) == igpt::ErrorKind::kAborted ? 130 : 1;
}
