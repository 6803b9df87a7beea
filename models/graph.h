// The inference pass of a network as a list of steps that someone else can carry out: what deploy/ freezes.
//
// A node reads the outputs of earlier nodes; what the network answers are outputs of nodes by name. Everything learned
// stays where it is, in the layers and quantizers the nodes point to, which the network owns: a layer that a detector's
// levels share is what several nodes point to. forward() in evaluation computes the same.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "models/activation.h"
#include "quantizers/code_conv.h"

namespace auxbench {

class QuantizedWeight;
class Quantizer;

// A contiguous part of a layer's output channels, and of the input channels that belong to them: one branch of several.
struct Branch {
  int64_t index = 0, of = 1;

  // Its rows of what the layer has by output channel; a single number, or none, is every branch's.
  [[nodiscard]] at::Tensor part(const at::Tensor& all) const;
};

struct GraphNode {
  enum class Kind {
    image,         // the network's input, [N, C, H, W]
    quantization,  // `quantizer`: values to codes
    convolution,   // `layer` on codes, or on values where it has no codes; before norm and bias
    norm,          // x alpha + beta, [channels] each; undefined for a group norm, by statistics of each image's own
    activation,    // `activation`
    sum,           // of two inputs
    bias,          // x + beta
    max_pool,      // 3 x 3, stride 2, padding 1
    average_pool,  // 2 x 2, stride 2, the last row and column of an odd map alone
    upsample,      // of input 0 to the height and width of input 1, nearest: pixel floor(i from / to) of the source
    mean,          // over all pixels
    weighted_sum,  // sum_i weights[i] input_i, in order
    blend          // weights[0] input_0 + weights[1] input_1, products first
  };

  Kind kind = Kind::image;
  std::string name;  // unique: the layer's, as in the weights' names, and ".pL" behind it where levels share the layer
  std::vector<size_t> inputs{};
  Quantizer* quantizer = nullptr;
  QuantizedWeight* layer = nullptr;
  ConvGeometry geometry{};
  bool with_norm = true;  // as QuantizedWeight::convolve
  Branch branch{};
  at::Tensor alpha{}, beta{};
  ActivationFunction activation = ActivationFunction::relu;
  at::Tensor weights{};
};

// What a network answers: a classifier its logits; a detector, level by level, as models/network.h says.
enum class Answer { logits, classes, boxes, centreness };

// "logits", "classes.3", "boxes.3", "centreness.3"; the level is a detector's.
std::string answer_name(Answer answer, int64_t level);

struct GraphOutput {
  std::string name;  // answer_name()
  size_t node = 0;
};

struct Graph {
  std::vector<GraphNode> nodes;
  std::vector<GraphOutput> outputs;  // in the order they are computed

  size_t add(GraphNode node) {
    nodes.push_back(std::move(node));
    return nodes.size() - 1;
  }
};

const char* kind_name(GraphNode::Kind kind);

// What a convolution's node multiplies with: the weights of its branch, as evaluation convolves them.
Codes encoded_weights(const GraphNode& convolution);

}  // namespace auxbench
