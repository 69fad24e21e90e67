// The effective configuration as text, for operators. Pure.
#pragma once

#include <string>
#include <vector>

#include "service/config/flags.h"

namespace igptd {

// One line per setting, with its source as in Setting: "--max_retries=3  # default". The key, the default user, and a
// user and password within a URL are "[redacted]". Everything but printable ASCII is escaped.
std::string ConfigPage(const std::vector<Setting>& settings);

}  // namespace igptd
