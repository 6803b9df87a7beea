#include "runner/app/number_check.h"

#include <nlohmann/json.hpp>

#include "base/files/canonical_json.h"

namespace auxbench {

CLI::Validator between(double least, double most) {
  const auto first = canonical_json(least), last = canonical_json(most);
  const auto check = [=](const std::string& text) {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && least <= value && value <= most) return std::string();
    return "expected a number from " + first + " to " + last + ", found " + text;
  };
  return CLI::Validator(check, "[" + first + " - " + last + "]", "between");
}

}  // namespace auxbench
