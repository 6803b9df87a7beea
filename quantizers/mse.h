// MSE calibration (Nagel et al. 2021, arXiv 2106.08295, section 3.1): the range that loses least.
//
//   minimises mean |x - q(x)|^p over f [min x, max x], f = 1, 0.99, 0.98 ...: 95 of them for a tensor, 80 for a
//   channel; the widest wins a tie
// Grid, gradient, state and codes: observed_range.h. Settings: power (p, 2; BRECQ takes 2.4), average (0.9).
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_mse(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
