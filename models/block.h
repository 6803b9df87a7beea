// The building block of a ResNet (models/resnet.cc): one interface, a kind for each way to arrange norm, activation and
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
#include "models/ops.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {

enum class BlockKind { post_act, pre_act, bireal, group };

// What all blocks of one network have in common.
struct BlockStyle {
  BlockKind kind = BlockKind::post_act;
  bool skip = true;
  ActivationFunction activation = ActivationFunction::relu;
  bool at_output = false;   // activations are quantized where they are made
  bool zero_init = false;   // the last norm of the main path starts at scale 0: a block begins as its shortcut
  int64_t bases = 1;        // branches of a group block
  bool norms_learn = true;  // false: frozen norms, which cannot undo weights that do not keep their scale
  PrecisionPlan precision;

  static BlockStyle of(const NetworkOptions& options);
  // Branches that run side by side as groups of channels.
  [[nodiscard]] int64_t branches() const { return kind == BlockKind::group ? bases : 1; }
  // bireal and group: a block activates its own input and ends without an activation.
  [[nodiscard]] bool activates_input() const { return kind == BlockKind::bireal || kind == BlockKind::group; }
  // The activation at full precision, or a quantizer of its own where activations are quantized at the output.
  [[nodiscard]] Activation make_activation() const;
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

class Block : public torch::nn::Module {
 public:
  Block(const BlockShape& shape, const BlockStyle& style) : shape_(shape), style_(style) {}

  // What the block computes, written once for training, evaluation and freezing.
  virtual FeatureMap compute(Ops& ops, const FeatureMap& x) = 0;

  // `stride`: of the block's input on entry, of its output on return.
  void append_tap_shapes(const TapPlan& plan, int64_t& stride, std::vector<TapShape>& shapes) const;

  void append_layers(std::vector<QuantizedWeight*>& layers);

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
