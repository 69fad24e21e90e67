// Preloaded into igptd: name look-ups that fail as a test says. Names that end in .test, and localhost, have the
// address 127.0.0.1, after what the file that FAULT_RESOLVER names says:
//
//   ok          at once
//   nxdomain    no such name
//   again       the name servers don't answer
//   flap        the first two look-ups of the process fail, those after them don't
//   wait        no answer until the file says something else
#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace {

std::string Order() {
  const char* path = std::getenv("FAULT_RESOLVER");
  std::ifstream file(path == nullptr ? "" : path);
  std::string order;
  file >> order;
  return order;
}

}  // namespace

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs are reserved
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  static const auto kReal = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  static std::atomic<int> look_ups = 0;
  const std::string_view text = name == nullptr ? "" : name;
  if (text != "localhost" && !text.ends_with(".test")) return kReal(name, service, hints, found);

  std::string order = Order();
  for (; order == "wait"; order = Order()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  if (order == "nxdomain") return EAI_NONAME;
  if (order == "again") return EAI_AGAIN;
  if (order == "flap" && look_ups++ < 2) return EAI_AGAIN;
  return kReal("127.0.0.1", service, hints, found);
}
