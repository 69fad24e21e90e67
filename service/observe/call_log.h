// The log line of a call.
#pragma once

#include "service/observe/call_record.h"

namespace igptd {

// One line for each call, at info, when it has ended.
void LogCall(const CallRecord& record);

}  // namespace igptd
