// Numbers as text for people. Text for machines is JSON's (base/files/canonical_json.h).
#pragma once

#include <cstdint>
#include <string>

namespace auxbench {

std::string number_text(double value, int digits = 1);  // 1.25 -> "1.2"; any finite value whole
std::string signed_text(double value, int digits = 1);  // "+1.2", "-0.3", "+0.0"
std::string with_commas(int64_t number);                // 1281167 -> "1,281,167"
std::string three_digits(double value);                 // three digits that mean something: "0.998", "12.3", "1460"

}  // namespace auxbench
