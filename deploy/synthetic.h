// Integer networks with random weights: what a whole network costs at a bit-width, before anyone has trained it.
#pragma once

#include <string>

#include "deploy/integer_network.h"

namespace auxbench {

// resnet18, resnet34, resnet50 or resnet101 on images [3, image, image] with 1000 classes, every layer on codes: the
// stem reads 8-bit pixels and the classifier 8-bit features, both with 8-bit weights; all others have weight_bits and
// activation_bits. Activations are quantized where they are made, the shortcut adds codes. Weights and norms are drawn
// from `seed`; codes spread over all levels. Throws UserError for another name or width.
IntegerNetwork synthetic_resnet(const std::string& model, int weight_bits, int activation_bits, int64_t image,
                                int64_t seed = 0);

}  // namespace auxbench
