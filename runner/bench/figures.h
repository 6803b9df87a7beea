// From times to the figures of a record: medians, quartiles, ratios paired by repetition. Numbers have four digits that
// mean something.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace auxbench::bench {

double four_digits(double value);

// {"q25", "median", "q75"} of the values.
nlohmann::json spread(const std::vector<double>& values);

// The spread of theirs[i] / ours[i]: how many times faster ours is.
nlohmann::json paired(const std::vector<double>& theirs, const std::vector<double>& ours);

// What a contestant of a race did.
struct Times {
  std::string name;  // "onednn2-int8": ends with its arithmetic
  std::vector<double> seconds;
};

// {"CONTESTANT": paired(), ...} and of each arithmetic the opponent with the smallest median:
// {"int8": {"contestant", "q25", "median", "q75"}, ...}.
nlohmann::json ratios_over(const std::vector<Times>& opponents, const std::vector<double>& ours);
nlohmann::json over_fastest(const std::vector<Times>& opponents, const std::vector<double>& ours);

// "us": spread in microseconds; "mac_per_s", "gop_per_s" of the median.
void add_speed(nlohmann::json& row, const std::vector<double>& seconds, int64_t macs);

}  // namespace auxbench::bench
