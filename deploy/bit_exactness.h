// The bit-exactness check: the frozen network says on the integer engine what its fake-quant evaluation says, image by image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "deploy/freeze.h"

namespace auxbench {

// Where the two part ways, on one image.
struct Divergence {
  std::string layer;   // the first graph node whose values differ
  int64_t values = 0;  // how many of them
  double largest = 0;  // and by how much at most: in floats, or in codes
  bool codes = false;
};

// images: [N, C, H, W], of any size that the network can be run at. Evaluates the graph node by node with torch's operators and holds every value that the frozen
// network keeps against it, outputs among them; nothing where all are equal.
std::optional<Divergence> first_divergence(Network& network, const FrozenNetwork& frozen, const at::Tensor& images);

}  // namespace auxbench
