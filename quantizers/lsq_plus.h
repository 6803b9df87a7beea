// LSQ+ (Bhalgat et al. 2020, arXiv 2004.09576, eqs. 2-8): a learned step and, for activations, a learned offset.
//
//   v = (x - b)/s, q = round(clip(v, Qn, Qp)) s + b;  weights symmetric, b absent;  Qn, Qp, ds and gs as LSQ's
//   db = gs sum of g over clipped elements
//
// Parameters: step and offset, per tensor. Weights start from step = max(|mean - 3 sd|, |mean + 3 sd|) / 2^(k-1),
// activations from the (step, offset) of least squared error on a sample of the first batch (a search over ranges inside
// [min, max]; several processes add up the errors of their samples). Settings: step, offset (their start),
// gradient_scale (in place of gs). Codes Qn..Qp, scale s, offset b.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_lsq_plus(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
