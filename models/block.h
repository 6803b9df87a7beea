// The building block of models/resnet.h: one interface, a kind for each way to arrange norm, activation and
// convolution. For .cc files of this room.
//
//   post-act  conv, BN, act, conv, BN, + shortcut, act                                    (He et al. 2016; the default)
//   pre-act   BN, act, conv, BN, act, conv, + shortcut                                    (LQ-Nets' networks)
//   bireal    act, conv, BN, + shortcut around every convolution; no activation after it  (Bi-Real Net, XNOR-Net)
//   group     the same in `bases` branches side by side, with gates between blocks        (Group-Net)
#pragma once

#include <memory>
#include <vector>

#include "base/torch_prelude.h"
#include "models/norm.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {

// What all blocks of one network have in common.
struct BlockStyle {
  std::string kind = "post-act";
  bool skip = true;
  std::string activation = "relu";  // relu | relu6 | hardtanh | tanh
  bool at_output = false;           // activations are quantized where they are made
  int64_t bases = 1;                // branches of a group block
  PrecisionPlan precision;

  static BlockStyle of(const NetworkOptions& options);
  // Branches that run side by side as groups of channels.
  [[nodiscard]] int64_t branches() const { return kind == "group" ? bases : 1; }
};

struct BlockShape {
  int64_t in = 0;
  int64_t width = 0;  // of the 3x3 convolutions
  int64_t stride = 1;
  bool bottleneck = false;
  bool first = false;  // its input comes from the stem
  bool last = false;   // feeds the classifier

  [[nodiscard]] int64_t out() const { return bottleneck ? 4 * width : width; }
};

// The activation at full precision, or the quantizer's own clipped grid where activations are quantized at the output.
class Activation {
 public:
  Activation() = default;  // plain ReLU
  explicit Activation(const BlockStyle& style);
  [[nodiscard]] Codes forward(const at::Tensor& x, bool training) const;
  void bypass(bool on) { bypassed_ = on; }
  void register_in(torch::nn::Module& owner, const std::string& name);
  [[nodiscard]] size_t append_to(Graph& graph, const std::string& name, size_t input) const;

 private:
  std::string activation_ = "relu";
  std::shared_ptr<Quantizer> quantizer_;
  bool bypassed_ = false;
};

// Nodes of a convolution, its input's quantization before it where it has one; and of a norm, of a branch's channels.
size_t append_convolution(Graph& graph, const std::string& name, QuantConv& conv, size_t input, Branch branch = {});
size_t append_norm(Graph& graph, const std::string& name, const Norm& norm, size_t input, Branch branch = {});

// A pass through the network: what is asked for and what has been collected.
struct Pass {
  const TapPlan* plan = nullptr;  // null: no taps
  NormBank* norms = nullptr;
  std::vector<at::Tensor> taps, blocks;

  void tap_layer(const at::Tensor& y) {
    if (plan != nullptr && plan->per_layer) taps.push_back(y);
  }
  // branch: what the block adds; sum: its output before the activation.
  void tap_block(const at::Tensor& branch, const at::Tensor& sum);
};

class Block : public torch::nn::Module {
 public:
  Block(const BlockShape& shape, const BlockStyle& style) : shape_(shape), style_(style) {}

  virtual Codes forward(const Codes& x, Pass& pass) = 0;

  // `stride`: of the block's input on entry, of its output on return.
  void append_tap_shapes(const TapPlan& plan, int64_t& stride, std::vector<TapShape>& shapes) const;

  void append_layers(std::vector<QuantizedWeight*>& layers);

  // The block's nodes, named `prefix` and their own name. inputs and what is returned: one node a branch, or one.
  virtual std::vector<size_t> append_to(Graph& graph, const std::string& prefix, const std::vector<size_t>& inputs) = 0;

  // At full precision for the time being, or as its precision says.
  virtual void bypass(bool on);

 protected:
  struct Layer {
    std::unique_ptr<QuantConv> conv;
    Norm norm;
  };

  // Registers conv<n> and bn<n>, n counted from 1, the norm over `norm_channels`.
  Layer& add_layer(const ConvOptions& options, NormList& norms, int64_t norm_channels);
  // The geometry of the main path's convolutions, in order.
  [[nodiscard]] std::vector<ConvOptions> main_path() const;
  [[nodiscard]] bool changes_shape() const { return shape_.stride != 1 || shape_.in != shape_.out(); }

  BlockShape shape_;
  BlockStyle style_;
  std::vector<Layer> layers_;
  Layer shortcut_;  // no conv: the identity
};

std::shared_ptr<Block> make_block(const BlockShape& shape, const BlockStyle& style, NormList& norms);

// The makers behind it.
std::shared_ptr<Block> make_residual_block(const BlockShape& shape, const BlockStyle& style, NormList& norms);
std::shared_ptr<Block> make_preactivation_block(const BlockShape& shape, const BlockStyle& style, NormList& norms);
std::shared_ptr<Block> make_shortcut_block(const BlockShape& shape, const BlockStyle& style, NormList& norms);

}  // namespace auxbench
