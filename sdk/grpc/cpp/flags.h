// A command line: its flags, and their help. Knows nothing of igptd.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

// The flags that a command takes. Each one is given with the place that it sets; what is there before is its default.
class Flags {
 public:
  // --name
  void AddSwitch(const std::string& name, const std::string& help, bool* target);
  // --name=VALUE
  void AddText(const std::string& name, const std::string& value, const std::string& help, std::string* target);
  void AddNumber(const std::string& name, const std::string& value, const std::string& help, int32_t* target);
  void AddDuration(const std::string& name, const std::string& value, const std::string& help, absl::Duration* target);

  // Sets what the command line says, and returns its arguments that are not flags. `arguments[0]` is skipped. An error
  // says what is wrong.
  absl::StatusOr<std::vector<std::string>> Parse(const std::vector<std::string>& arguments) const;

  // A paragraph per flag, in lines of at most `width` columns; 0 is no limit.
  std::string Help(int width) const;

 private:
  struct Flag {
    std::string name;
    std::string value;  // a name for the value; empty: takes none
    std::string help;
    std::function<absl::Status(const char* value)> set;
  };

  std::vector<Flag> flags_;
};
