// A program that knows igpt::sdk from its installed package alone. It prints the version.
#include <iostream>
#include <optional>

#include "absl/status/statusor.h"
#include "igpt/client.h"
#include "igpt/error.h"
#include "igpt/version.h"

int main() {
  absl::StatusOr<igpt::Client> client = igpt::Client::Create({.api_key = "key", .user = "ada", .base_url = "no URL"});
  std::optional<igpt::Error> error = igpt::ErrorOf(client.status());
  if (!error || error->kind != igpt::ErrorKind::kInvalidRequest) {
    std::cerr << "a wrong base URL gave: " << client.status() << "\n";
    return 1;
  }
  std::cout << igpt::kVersion << "\n";
  return 0;
}
