// Numbers that must agree to a tolerance named by the caller's contract.
#pragma once

#include <cmath>
#include <iomanip>
#include <sstream>
#include <string>
#include <vector>

namespace auxbench::test {

inline std::string text(double value) {
  std::ostringstream stream;
  stream << std::setprecision(17) << value;
  return stream.str();
}

// Empty when all agree within `absolute`, else where and by how much they differ.
inline std::string difference(const std::vector<double>& found, const std::vector<double>& wanted, double absolute) {
  if (found.size() != wanted.size())
    return std::to_string(found.size()) + " numbers instead of " + std::to_string(wanted.size());
  for (size_t i = 0; i < found.size(); ++i)
    if (!(std::abs(found[i] - wanted[i]) <= absolute))
      return "at " + std::to_string(i) + ": " + text(found[i]) + " instead of " + text(wanted[i]);
  return {};
}

}  // namespace auxbench::test
