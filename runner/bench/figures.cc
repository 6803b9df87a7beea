#include "runner/bench/figures.h"

#include <cstdio>
#include <cstdlib>

#include "base/quantile.h"

namespace auxbench::bench {
namespace {

using nlohmann::json;

bool has_arithmetic(const Times& times, const std::string& arithmetic) {
  return times.name.ends_with("-" + arithmetic);
}

}  // namespace

double four_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return std::strtod(text, nullptr);
}

json spread(const std::vector<double>& values) {
  return {{"q25", four_digits(quantile(values, 0.25))},
          {"median", four_digits(quantile(values, 0.5))},
          {"q75", four_digits(quantile(values, 0.75))}};
}

json paired(const std::vector<double>& theirs, const std::vector<double>& ours) {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(theirs[i] / ours[i]);
  return spread(ratios);
}

json ratios_over(const std::vector<Times>& opponents, const std::vector<double>& ours) {
  auto found = json::object();
  for (const auto& opponent : opponents) found[opponent.name] = paired(opponent.seconds, ours);
  return found;
}

json over_fastest(const std::vector<Times>& opponents, const std::vector<double>& ours) {
  auto found = json::object();
  for (const char* arithmetic : {"fp32", "bf16", "int8"}) {
    const Times* fastest = nullptr;
    for (const auto& opponent : opponents)
      if (has_arithmetic(opponent, arithmetic) &&
          (fastest == nullptr || quantile(opponent.seconds, 0.5) < quantile(fastest->seconds, 0.5)))
        fastest = &opponent;
    if (fastest == nullptr) continue;
    found[arithmetic] = paired(fastest->seconds, ours);
    found[arithmetic]["contestant"] = fastest->name;
  }
  return found;
}

void add_speed(json& row, const std::vector<double>& seconds, int64_t macs) {
  constexpr double kMicro = 1e6;
  std::vector<double> us;
  for (const double each : seconds) us.push_back(each * kMicro);
  row["us"] = spread(us);
  const double rate = static_cast<double>(macs) / quantile(seconds, 0.5);
  row["macs"] = macs;
  row["mac_per_s"] = four_digits(rate);
  row["gop_per_s"] = four_digits(2e-9 * rate);
}

}  // namespace auxbench::bench
