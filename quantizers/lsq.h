// LSQ (Esser et al. 2020, arXiv 1902.08153, eqs. 1-5): a learned step.
//
//   v = x/s, q = round(clip(v, Qn, Qp)) s;  weights Qn = -2^(k-1), Qp = 2^(k-1) - 1, activations 0 .. 2^k - 1
//   dx = g where Qn <= v <= Qp (v unrounded);  ds = gs sum g (Qn below | Qp above | round(v) - v inside)
//   gs = 1/sqrt(N Qp), N = elements of the tensor, the batch included
// Parameter: step, per tensor, fitted to the first tensor: 2 E|x| / sqrt(Qp). s = max(|step|, 1e-8).
// Settings: step (its start, instead of the fit), n_excludes_batch (0): N of one sample, gradient_scale (in place of
// gs). Codes Qn..Qp, scale s.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_lsq(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
