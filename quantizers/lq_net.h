// LQ-Nets (Zhang et al. 2018, arXiv 1807.10029, eqs. 3-9): a learned basis whose sums are the levels.
//
//   basis v in R^k, digits b in {0,1}^k (activations, per tensor) or {-1,1}^k (weights, per output channel)
//   levels: all 2^k sums b.v in order; q = the level nearest to x, halfway the lower one
//   activations  dx = g where x <= the top level (ReLU comes first: no lower clip)
//   weights      dx = g
//
// QEM, one alternation for each training pass, from the digits B that this pass has found:
//
//   activations  v_new = (B'B + 1e-5 I)^-1 B'x   (the original has no ridge and can be singular)
//   weights      v_new = (B'B + 1e-4 I)^-1 (B'w + 1e-4 v)
//   m <- 0.9 m + 0.1 v_new
//   v = m / (1 - 0.9^t)                          after step 1 the basis is v_new exactly
//
// Evaluation uses the stored v. B'B and B'x come from counts and sums per level, which add up over batches and, for
// activations, over processes (reduce.h).
// Start: activations 0.6745 * 2/(2^k - 1) * 2^i; weights 0.6745 sqrt(2/N) / 2^(k-1) * 2^i, N = kernel area times output
// channels. State: basis, mean, updates. Settings: plain_average (0): v <- 0.9 v + 0.1 v_new, as one port has it.
// Codes: the digits as a binary number; value = basis . digits. A layer convolves the values in training and the digits,
// whose sums are exact, in evaluation (code_conv.h).
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_lq_net(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
