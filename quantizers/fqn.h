// FQN (Li et al., Fully Quantized Network for Object Detection, CVPR 2019, section 3): affine grids; weights by channel,
// activations with ranges that are calibrated once and then stay. A method that trains.
//
//   n = 2^k - 1, s = (hi - lo)/n, z = round(-lo/s), q = s (clip(round(x/s + z), 0, n) - z)
// The range always reaches zero, and is nudged to [-z s, (n - z) s], so that zero is exactly a level.
//   weights      lo, hi: smallest and largest of each output channel, of the weights as they are at this step
//   activations  one range a layer: lo, hi at the percentiles 1 - gamma and gamma, as order statistics: the
//                ceil(gamma N)-th smallest and largest of N numbers; the mean over the first `batches` tensors
//   dx = g where x is inside the nudged range, both ends included
//
// The paper calibrates on 20 random batches before it trains. Here they are the first 20 of training, which are random
// batches too: no pass of its own is needed, a resume finds the count in the state, and inputs are those of the
// quantized network, which the ranges are for. What differs is that weights take 20 steps meanwhile, of 40,000 in the
// paper. A layer that is run on several levels of a pyramid sees as many tensors a batch; `batches` counts tensors.
// Batch norms are frozen in the paper, which is a matter of the network, and folded into the weights: that multiplies each
// channel by a number, and a channel's codes on its own range stay, or are mirrored. So weights are quantized unfolded.
//
// Weights' codes are q/s = u - z, whole numbers from -n to n of which a channel has n + 1 side by side: the zero point
// of each channel is in its codes, and convolution needs no second sum. They take one bit more than k, so that integer
// engines hold them in 8 bits, and 8 bits themselves are not defined for weights (first and last layers at 8 bits are
// LSQ's). Codes of activations: 0..n with an offset, none where nothing is below zero.
// State of activations: low, high, seen. Settings: per_channel (1, weights); gamma (0.999), batches (20) (activations).
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_fqn(Role role, int bits, const QuantizerSettings& settings);

}  // namespace auxbench
