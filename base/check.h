// AUXBENCH_CHECK(condition, "what was expected"): a fault of ours, never of the user's.
// Throws LogicFault, which no layer below main catches except the runner's cell isolation.
#pragma once

#include <stdexcept>
#include <string>

namespace auxbench {

class LogicFault : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] inline void fail_check(const char* condition, const char* file, int line, const std::string& expected) {
  throw LogicFault(std::string(file) + ":" + std::to_string(line) + ": expected " + expected + " (" + condition + ")");
}

}  // namespace auxbench

#define AUXBENCH_CHECK(condition, expected)                               \
  do {                                                                    \
    if (!(condition)) [[unlikely]]                                        \
      ::auxbench::fail_check(#condition, __FILE__, __LINE__, (expected)); \
  } while (false)
