// The default executor.
#pragma once

#include <memory>

#include "igpt/executor.h"

namespace igpt::internal {

// Lives as long as the process.
std::shared_ptr<Executor> DefaultExecutor();

}  // namespace igpt::internal
