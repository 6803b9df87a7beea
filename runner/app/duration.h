// Durations as people type them.
#pragma once

#include <optional>
#include <string>

namespace auxbench {

// "90", "90s", "30m", "6h", "1.5h" in seconds; empty gives nothing. Throws UserError(usage) naming `place`.
std::optional<double> parse_duration(const std::string& text, const std::string& place);

}  // namespace auxbench
