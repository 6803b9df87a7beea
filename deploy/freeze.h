// From a trained network to integers (deploy/integer_network.h).
//
// Works on the network's graph (models/graph.h) and on its quantizers as they are: weights are what evaluation
// convolves, thresholds are found by bisection on the quantizer's own encode(), so that no formula is written twice and
// every float the quantizer could be given falls on the same side. Norms, sums and activations that follow a
// convolution become part of its step. A layer that the graph uses several times, on the levels of a pyramid, keeps its
// weights once. Each of the graph's outputs becomes one of the network's, by the same name.
#pragma once

#include <string>

#include "deploy/integer_network.h"
#include "models/network.h"

namespace auxbench {

struct FrozenNetwork {
  IntegerNetwork network;
  std::vector<size_t> value_of_node;  // the value that holds a graph node's output; kNoValue: inside a step
};

struct ImageSize {
  int64_t channels = 0, height = 0, width = 0;
};

// The network must be in evaluation mode, on the CPU, in float32. Throws UserError where it has no integer mapping: a
// layer without codes, codes beyond 8 bits, sums beyond 32.
FrozenNetwork freeze(Network& network, const ImageSize& image);

}  // namespace auxbench
