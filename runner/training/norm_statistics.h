// Batch norms' statistics anew, for the weights as they are now (PreciseBN: Wu and Johnson 2021, arXiv 2105.07576,
// section 3).
//
// What training leaves is a moving average over steps whose weights were others, and what a network quantized after
// training has is another network's altogether. Here batches pass without gradient; each norm normalises by its batch,
// as in training, and
//
//   mean, variance <- the plain means over batches of the batch's mean and unbiased variance
//
// Quantizers, and whatever else has a state, are as in evaluation: nothing but the statistics of norms changes, and they
// do not depend on what they were.
#pragma once

#include <cstdint>
#include <vector>

#include "models/network.h"
#include "runner/tasks/tensor_loader.h"

namespace auxbench {

// The first `count` images of the seed's order of a training set, or all where there are fewer, not augmented, in
// batches: of images with boxes each of its own size.
std::vector<at::Tensor> some_images(const Images& images, int64_t count, int64_t batch, int64_t seed,
                                    const ComputeOptions& where);

// The network must be in evaluation mode and stays so. A last batch that is smaller than the others is left out: means
// over batches weigh them alike. A norm that several maps of one pass go through (of a detector's shared heads) weighs each
// of them like a batch. Norms that do not learn (NormKind::frozen) stay as they are.
void reestimate_norms(Network& network, const std::vector<at::Tensor>& batches);

}  // namespace auxbench
