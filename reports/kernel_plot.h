// The tables of a suite of kernels that ask for it, as a picture: how many times faster than the fastest library at
// fp32, and at int8, a bar for each row, quartiles as whiskers. SVG, no library needed to draw or to show it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace auxbench {

// Throws UserError(data_missing) where it is no record of kernels.
std::string render_kernel_plot(const nlohmann::json& record);

}  // namespace auxbench
