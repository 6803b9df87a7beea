// Min-max calibration (Jacob et al. 2018, arXiv 1712.05877, section 3): the range holds everything that was seen.
//
// Grid, gradient, state and codes: observed_range.h. Setting: average (0; 0.9 is the moving average of that paper).
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_min_max(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
