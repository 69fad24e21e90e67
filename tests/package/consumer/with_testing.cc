// A program that tests itself against igpt::testing's scripted server. It prints the answer.
#include <iostream>
#include <string>
#include <string_view>

#include "igpt/client.h"
#include "igpt/testing/scripted_http_server.h"

int main() {
  igpt::testing::ScriptedHttpServer server;
  server.OnRequest([](igpt::testing::Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(R"({"type":"run.start","seq":0,"id":"r1"})",
                     R"({"type":"run.output_text.delta","seq":1,"delta":"We will."})",
                     R"({"type":"run.done","seq":2,"id":"r1","output":"We will."})");
    exchange.EndChunked();
  });

  igpt::Options options;
  options.api_key = "key";
  options.user = "ada";
  options.base_url = server.url();
  absl::StatusOr<igpt::Client> client = igpt::Client::Create(options);
  if (!client.ok()) {
    std::cerr << client.status() << "\n";
    return 1;
  }
  igpt::AskRequest request;
  request.input = "Will we?";
  std::string text;
  const absl::Status status =
      client->recall().AskStream(request).ForEachText([&](std::string_view piece) { text += piece; });
  if (!status.ok() || !server.AwaitRequests(1) || server.requests()[0].target != "/recall/ask/") {
    std::cerr << status << "\n";
    return 1;
  }
  std::cout << text << "\n";
  return 0;
}
