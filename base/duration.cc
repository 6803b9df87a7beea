#include "base/duration.h"

#include <cmath>
#include <string>

#include "base/error.h"

namespace auxbench {

std::optional<double> parse_duration(const std::string& text, const std::string& place) {
  if (text.empty()) return std::nullopt;
  size_t end = 0;
  double value = -1;
  try {
    value = std::stod(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  const std::string unit = text.substr(end);
  const double scale = unit.empty() || unit == "s" ? 1
                       : unit == "m"               ? 60
                       : unit == "h"               ? 3600
                       : unit == "d"               ? 86400
                                                   : 0;
  if (end == 0 || scale == 0 || !std::isfinite(value) || value < 0)
    throw UserError(ExitCode::usage, place + " " + text + ": expected a time such as 90s, 30m or 6h");
  return value * scale;
}

std::string duration_text(double seconds) {
  constexpr double kMost = 3.6e15;  // a whole number holds it
  if (!(seconds < kMost)) return "more than 10^12 h";
  const auto whole = std::llround(seconds);
  const auto two = [](long long value) { return (value < 10 ? "0" : "") + std::to_string(value); };
  if (whole >= 3600) return std::to_string(whole / 3600) + " h " + two(whole % 3600 / 60) + " min";
  if (whole >= 60) return std::to_string(whole / 60) + " min " + two(whole % 60) + " s";
  return std::to_string(whole) + " s";
}

}  // namespace auxbench
