// ResNet-18/34/50/101 (He et al. 2016) with torchvision's names, shapes and initialisation, at any precision.
//
//   stem   imagenet: 7x7/2 conv, BN, act, 3x3/2 max-pool | small: 3x3 conv, BN, act
//   block  basic: 3x3, 3x3 | bottleneck: 1x1, 3x3 (carries the stride), 1x1 to four times the channels
//   plain  the same without shortcuts (and so without their 1x1 convolutions)
//
// Where activations are quantized:
//   conv-input    each convolution quantizes its own input; the residual stream stays a float (ReLU) map
//   block-output  each activation is quantized where it is made, stem and block outputs included (the replicated
//   paper's
//                 released code)
// The last block ends in a plain ReLU in every variant: its output feeds the classifier.
// Taps lie before a block's activation, so that they are float in both.
#pragma once

#include <memory>

#include "models/network.h"

namespace auxbench {

std::unique_ptr<Network> make_resnet(const NetworkOptions& options);

}  // namespace auxbench
