// Preloaded into igptd: makes name look-ups fail as a test wants. Names that end in .test, and localhost, resolve to
// 127.0.0.1, subject to what the file named by FAULT_RESOLVER contains:
//
// - ok: at once.
// - nxdomain: there is no such name.
// - again: the name servers don't answer.
// - flap: the first two look-ups of the process fail, later ones succeed.
// - wait: there is no answer until the file says something else.
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
