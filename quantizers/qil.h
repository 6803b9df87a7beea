// QIL (Jung et al. 2019, arXiv 1808.05779, eqs. 2-6): a learned interval, pruned below, clipped above. The paper was
// not at hand: the formula is what three independent ports agree on.
//
//   u = clip((|x| - (c - d)) / (2d), 0, 1);  weights q = sign(x) round(m u^gamma)/m, m = 2^(k-1) - 1: 2^k - 1 levels,
//   activations q = round(m u)/m from x itself, m = 2^k - 1
//   gradients inside the interval only, rounding as the identity; see kernels/fake_quant/interval.h
// Parameters: centre and width (c, d), per tensor, both from max|x|/2 of the first tensor, so that the interval is
// [0, max|x|]; SGD: they learn at a hundredth of the weights' rate. Settings: centre, width (their start), gamma (given: it
// is learned too; otherwise 1). The output is not on x's scale. Codes -m..m and 0..m, scale 1/m.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_qil(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
