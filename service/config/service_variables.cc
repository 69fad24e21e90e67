#include "service/config/service_variables.h"

#include <regex.h>

namespace igptd {
namespace {

// Not std::regex, whose recursion a long text exhausts.
bool Matches(const char* pattern, const std::string& text) {
  regex_t compiled;
  if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0) return false;
  const bool matches = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return matches;
}

}  // namespace

bool IsServiceVariable(const std::string& name, const std::string& value) {
  // The Service's name, and after SERVICE_PORT the port's, are in capitals, with _ for -.
  constexpr char kAlways[] =
      "^IGPTD(_[A-Z0-9_]+)?"
      "_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$";
  constexpr char kByValue[] = "^IGPTD(_[A-Z0-9_]+)?_PORT$";
  constexpr char kUrl[] = "^(tcp|udp|sctp)://";
  return Matches(kAlways, name) || (Matches(kByValue, name) && Matches(kUrl, value));
}

}  // namespace igptd
