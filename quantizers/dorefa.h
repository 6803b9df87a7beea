// DoReFa-Net (Zhou et al. 2016, arXiv 1606.06160, eqs. 7-11) in three named variants.
//
//   n = 2^k - 1
//   weights, k >= 2   t = tanh w, M = max|t|
//                     q = 2 round(n (t/(2M) + 1/2)) / n - 1: 2^k odd levels in [-1, 1]
//                     gradient through everything but the rounding, the maximum included
//   weights, k = 1    q = E|w| sign(w), sign(0) = +1; the mean is detached, the gradient is the identity
//   activations       dorefa                 clip [0,1], step 1/n: 2^k levels
//                     dorefa-relu6-official  relu6, step 1/n: 6n + 1 levels (2 bit: 19)
//                     dorefa-relu6-true      relu6, step 6/n: 2^k levels
//
// dorefa-relu6-official is the replicated paper's released code; its weights use the k >= 2 formula at k = 1 too.
// Codes: weights -n, -n + 2 .. n with scale 1/n (k = 1: -1, 1 with scale E|w|); activations from 0. An all-zero weight
// tensor has M = 0; it is read as M = 1, so that every weight sits on its lowest positive level. Below 2^-60, where M^2
// nears the end of float32, weights are multiplied by a power of two first, which changes no value and no gradient.
// Settings of weights: detach_max (0 or 1; default 0): no gradient through M, as some libraries have it.
// Settings of dorefa's activations: range, `unit` (0, default) or `fitted` (1). Fitted, the clip is no longer 1 but c,
//   q = round(n clip(x/c, 0, 1)) c/n,  dx = g where 0 <= x <= c
// and c is fixed from the first batch on: the end of the range that n equal steps from 0 fit best (best_range.h). State
// "clip". The paper has [0, 1]; this is for inputs that no batch norm brings there, as post-activation blocks have.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

// DoReFa's weights, which PACT shares.
std::unique_ptr<Quantizer> make_dorefa_weight(int bits, const QuantizerSettings& settings);

}  // namespace auxbench
