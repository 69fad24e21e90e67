// The configuration that igptd runs with, for whoever runs it. Pure.
#pragma once

#include <string>
#include <vector>

#include "service/config/flags.h"

namespace igptd {

// A line for each, with where it comes from: "--max_retries=3  # default". Sources are named as in Setting. What is
// secret, or says who somebody is, is "[redacted]": the key, the default user, user and password within a URL. What
// isn't printable ASCII is escaped.
std::string ConfigPage(const std::vector<Setting>& settings);

}  // namespace igptd
