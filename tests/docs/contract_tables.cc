// Prints igptd's tables of methods and errors as JSON, for docs_test.py to hold the documents against.
#include <iostream>
#include <nlohmann/json.hpp>

#include "service/contract/call_status.h"
#include "service/contract/code_names.h"
#include "service/contract/error_table.h"
#include "service/contract/method_table.h"

int main() {
  nlohmann::json methods = nlohmann::json::array();
  for (const igptd::MethodNames& method : igptd::kMethodNames) methods.push_back(method.name);
  nlohmann::json errors = nlohmann::json::array();
  for (const igptd::ErrorRow& row : igptd::kErrorTable) {
    errors.push_back({{"reason", igptd::ReasonName(row.reason)},
                      {"code", igptd::CodeName(row.code)},
                      {"metadata", row.metadata},
                      {"retry_info", row.retry_info != igptd::ErrorRow::RetryInfo::kNever}});
  }
  std::cout << nlohmann::json{{"methods", methods}, {"errors", errors}} << "\n";
}
