// Durations as people type them.
#pragma once

#include <optional>
#include <string>

namespace auxbench {

// "90", "90s", "30m", "6h", "1.5h" in seconds; empty gives nothing. Throws UserError(usage) naming `place`.
std::optional<double> parse_duration(const std::string& text, const std::string& place);

// "1 h 05 min", "3 min 20 s", "12 s"; from 3.6e15 seconds on, and for NaN, "more than 10^12 h".
std::string duration_text(double seconds);

}  // namespace auxbench
