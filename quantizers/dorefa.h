// DoReFa-Net (Zhou et al. 2016, arXiv 1606.06160, eqs. 7-11) in three named variants.
//
//   weights, k >= 2   t = tanh w, M = max|t|, q = 2 round(n (t/(2M) + 1/2)) / n - 1, n = 2^k - 1: 2^k odd levels in
//   [-1, 1]
//                     gradient through everything but the rounding, the maximum included
//   weights, k = 1    q = E|w| sign(w), sign(0) = +1; the mean is detached, the gradient is the identity
//   activations       dorefa                 clip [0,1], step 1/n: 2^k levels
//                     dorefa-relu6-official  relu6, step 1/n: 6n + 1 levels (2 bit: 19). The replicated paper's
//                     released
//                                            code; its weights use the k >= 2 formula at k = 1 too
//                     dorefa-relu6-true      relu6, step 6/n: 2^k levels
//
// Codes: weights 0..n with scale 2/n and offset -1 (k = 1: 0/1, scale 2E|w|, offset -E|w|); activations from 0, offset
// 0. Settings: detach_max (0 or 1; default 0): no gradient through M, as some libraries have it. An all-zero weight
// tensor has M = 0; it is read as M = 1, so that every weight sits on its lowest positive level.
#pragma once

#include <memory>

#include "quantizers/quantizer.h"

namespace auxbench {

inline constexpr const char* kDorefaPaper = "Zhou et al., DoReFa-Net, arXiv 1606.06160, eqs. 7-11";

std::unique_ptr<Quantizer> make_dorefa(Role role, int bits, const QuantizerSettings& settings);
std::unique_ptr<Quantizer> make_dorefa_relu6_official(Role role, int bits, const QuantizerSettings& settings);
std::unique_ptr<Quantizer> make_dorefa_relu6_true(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
