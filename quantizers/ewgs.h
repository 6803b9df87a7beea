// EWGS (Lee et al. 2021, arXiv 2104.00903, eqs. 1-5): a learned range, and gradients scaled by each element's rounding
// error.
//
//   u = clip((x - l)/(h - l), 0, 1), q = round(n u)/n, n = 2^k - 1;  activations give q, weights s (2q - 1)
//   at the rounding: g (1 + delta sign(g) (u - q)), the rest plain differentiation (kernels/fake_quant/ewgs.h)
// The paper multiplies the convolution's output by a learned scale; that is the same as s on the weights, so it is kept
// there. Parameters: low, high (weights from -+3 sd; activations from the minimum and 3 sd / sqrt(1 - 2/pi)) and, for
// weights, scale = E|conv| / E|quantized conv| on the first batch.
// Settings: low, high, scale (their start), delta (1e-3). The paper also derives delta from the Hessian's trace each
// epoch; that needs second derivatives, which the fused passes do not have: it is not offered.
// Codes: weights -n, -n + 2 .. n with scale s/n; activations 0..n with scale 1/n.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_ewgs(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
