// APoT (Li et al. 2020, arXiv 1909.13144, eqs. 2-6): levels that are sums of powers of two.
//
//   activations  q = a nearest(clip(x/a, 0, 1)) among the k-bit levels below
//   weights      u = (w - mean)/deviation (N - 1; the gradient goes through both, as in the ImageNet code)
//                q = a sign(u) nearest(clip(|u|/a, 0, 1)) among the (k-1)-bit levels
//   halfway the lower level is taken
//   dx = g inside (2-bit weights: everywhere);  da = g (q - x)/a inside, g sign outside
//   levels, k bits: 1 {0,1}; 2 {0,1,2,4}/4; 3 {0,1,2,3,4,6,8,10}/10; 4 sixteen up to 48; 5 thirty-two up to 100
//
// Parameter: alpha, per tensor: weights from 3, activations from 6; weight decay reaches it, 1e-4 where weights have none.
// Settings: alpha (its start), normalise (1).
// The authors scale 8-bit first and last layers by max(w), without the magnitude; such layers are LSQ's here.
// Codes: the levels' whole numbers, signed for weights, scale a/denominator.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_apot(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
