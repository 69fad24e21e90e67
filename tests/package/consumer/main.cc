// A program that knows igpt::sdk from its public headers alone. It prints the version.
#include <iostream>
#include <optional>

#include "igpt/client.h"
#include "igpt/error.h"
#include "igpt/options.h"
#include "igpt/version.h"

int main() {
  igpt::Options options;
  options.api_key = "key";
  options.user = "ada";
  if (auto client = igpt::Client::Create(options); !client.ok()) {
    std::cerr << "good options gave: " << client.status() << "\n";
    return 1;
  }
  options.base_url = "no URL";
  auto client = igpt::Client::Create(options);
  std::optional<igpt::Error> error = igpt::ErrorOf(client.status());
  if (!error) {
    std::cerr << "a wrong base URL gave: " << client.status() << "\n";
    return 1;
  }
  std::cout << igpt::kVersion << "\n";
  return 0;
}
