// Prints igptd's tables of methods, errors and OpenTelemetry's variables for docs_test.py, which compares them with the
// documents: a line per row, its fields separated by tabs; and a line for each error that a method can end with.
#include <iostream>
#include <string_view>

#include "service/config/trace_variables.h"
#include "service/contract/call_status.h"
#include "service/contract/code_names.h"
#include "service/contract/error_table.h"
#include "service/contract/method_table.h"

// How docs/errors.md says it.
const char* ClientRetry(igptd::ErrorRow::Pushback pushback) {
  switch (pushback) {
    case igptd::ErrorRow::Pushback::kNone:
      return "as its policy says";
    case igptd::ErrorRow::Pushback::kNever:
      return "never";
    case igptd::ErrorRow::Pushback::kAfterDelay:
      return "after the delay";
  }
  return "";
}

int main() {
  for (const std::string_view variable : igptd::kTraceVariables) std::cout << "variable\t" << variable << "\n";
  for (const igptd::MethodFacts& method : igptd::kMethodFacts) std::cout << "method\t" << method.name << "\n";
  for (const igptd::ErrorRow& row : igptd::kErrorTable) {
    const bool retry_info = row.retry_info != igptd::ErrorRow::RetryInfo::kNever;
    std::cout << "error\t" << igptd::ReasonName(row.reason) << "\t" << igptd::CodeName(row.code) << "\t" << row.metadata
              << "\t" << (retry_info ? "RetryInfo" : "") << "\t" << ClientRetry(row.pushback) << "\n";
    for (const igptd::MethodFacts& method : igptd::kMethodFacts) {
      if (!igptd::CanEndWith(&method, row)) continue;
      std::cout << "end\t" << method.name << "\t" << igptd::CodeName(row.code) << "/" << igptd::ReasonName(row.reason)
                << "\n";
    }
  }
}
