// N2UQ (Liu et al. 2022, arXiv 2111.14826, eqs. 4-10): learned input thresholds, uniform output levels.
//
//   activations  z = x s1; code = number of thresholds at or below z; q = code (2/n) s2, n = 2^k - 1
//                gradients of a piecewise linear curve (kernels/fake_quant/thresholds.h)
//   weights      s = gamma E|w| per output channel, detached, gamma = n / 2^(k-1);
//                q = (2 round(n (clip(w/s, -1, 1)/2 + 1/2))/n - 1) s;  dw = g where |w| <= s (the released code's
//                backward lacks the mask and divides by s; that is a slip, and not repeated)
// Parameter "curve", activations: start, the n intervals, s1, s2; from 0, 2/n each, 1, 1.
// Settings: start, interval_0 .. interval_(n-1), input_scale, output_scale (their start).
// The paper's network differs too (channel biases, PReLU, a ResNet-101 teacher): its figures are not this quantizer's
// alone. Codes: activations 0..n, scale 2 s2/n; weights -n, -n + 2 .. n, scale s/n per output channel.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_n2uq(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
