// The residual block of models/resnet.h, basic or bottleneck. For .cc files of this room.
#pragma once

#include <memory>
#include <vector>

#include "base/torch_prelude.h"
#include "models/norm.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {

// What all blocks of one network have in common.
struct BlockStyle {
  bool skip = true;
  bool relu6 = false;
  bool at_output = false;  // activations are quantized where they are made
  PrecisionPlan precision;

  static BlockStyle of(const NetworkOptions& options);
};

struct BlockShape {
  int64_t in = 0;
  int64_t width = 0;  // of the 3x3 convolutions
  int64_t stride = 1;
  bool bottleneck = false;
  bool last = false;  // feeds the classifier

  [[nodiscard]] int64_t out() const { return bottleneck ? 4 * width : width; }
};

// ReLU or ReLU6, or the quantizer's own clipped grid where activations are quantized at the output.
class Activation {
 public:
  Activation() = default;
  explicit Activation(const BlockStyle& style);
  // Plain ReLU, whatever the rest of the network has: before the classifier.
  static Activation plain() { return {}; }
  [[nodiscard]] at::Tensor forward(const at::Tensor& x) const;

 private:
  bool relu6_ = false;  // plain ReLU otherwise
  std::shared_ptr<Quantizer> quantizer_;
};

class ResidualBlock : public torch::nn::Module {
 public:
  ResidualBlock(const BlockShape& shape, const BlockStyle& style, NormList& norms);

  // Appends this block's taps when asked for.
  at::Tensor forward(const at::Tensor& x, const TapPlan* plan, NormBank* bank, std::vector<at::Tensor>& taps);

  // `stride`: of the block's input on entry, of its output on return.
  void append_tap_shapes(const TapPlan& plan, int64_t& stride, std::vector<TapShape>& shapes) const;

 private:
  struct Layer {
    std::unique_ptr<QuantConv> conv;
    Norm norm;
  };

  void add_layer(const ConvOptions& options, NormList& norms);

  BlockStyle style_;
  std::vector<Layer> layers_;  // the main path
  Layer shortcut_;             // no conv: the identity
  Activation inner_, final_;
};

}  // namespace auxbench
