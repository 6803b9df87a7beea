// Which levels the layers of a quantized network use: shares of the activations that enter each layer, and of its weights.
//
// A layer whose activations sit on one level tells images apart by little, and values beyond the clip send no gradient
// back (straight-through): a network that starves shows it here before its accuracy says why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datasets/sources/image_source.h"
#include "models/network.h"
#include "runner/tasks/tensor_loader.h"

namespace auxbench {

// From 0 to 1.
struct ActivationShares {
  int64_t levels = 0;  // of the grid
  double most = 0;     // on the level that most of them have
  double top = 0;      // on the highest level
  double beyond = 0;   // on an end of the grid that is not zero, where the quantizer hands no gradient on
};

struct WeightShares {
  int64_t levels = 0;
  double most = 0;
  double ends = 0;  // on the first and the last code
};

struct LayerCodes {
  std::string layer;  // "layer1.0.conv1"
  std::optional<ActivationShares> activations;
  std::optional<WeightShares> weights;
};

// Over the first 500 of these images, or the first 50 where they have boxes (each has as many activations as some hundred
// small ones), or all where there are fewer: one entry a layer that has weights or activations of few levels, in the order
// they compute. A layer that computes several maps, as a detector's shared heads do, has one entry over all of them.
// Activations that were quantized at a block's output stand with each layer that reads them. The network must be in evaluation mode, which it stays in; nothing of it changes.
std::vector<LayerCodes> code_shares(Network& network, const Images& images, const ComputeOptions& where);

}  // namespace auxbench
