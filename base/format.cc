#include "base/format.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

namespace auxbench {

std::string number_text(double value, int digits) {
  // Room for the longest double, its sign, point and decimals.
  std::array<char, std::numeric_limits<double>::max_exponent10 + 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string signed_text(double value, int digits) { return (value < 0 ? "" : "+") + number_text(value, digits); }

std::string with_commas(int64_t number) {
  auto text = std::to_string(number);
  const std::ptrdiff_t first = number < 0 ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > first; at -= 3)
    text.insert(static_cast<size_t>(at), ",");
  return text;
}

std::string three_digits(double value) {
  const double size = std::abs(value);
  const int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
  return number_text(value, decimals);
}

}  // namespace auxbench
