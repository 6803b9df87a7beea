// The operations that a network is written in. A block or network says once what it computes, over an Ops; what becomes
// of it is the Ops' affair:
//
//   TensorOps (models/tensor_ops.h)  computes, with gradients, and collects taps: training and evaluation
//   GraphOps  (models/graph_ops.h)   appends nodes to a Graph: what deploy/ freezes
//
// For .cc files of this room.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/activation.h"
#include "models/graph.h"
#include "models/norm.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {

// A feature map, which only the Ops that made it reads. Copies share memory.
struct FeatureMap {
  Codes tensor{};               // [N, C, H, W], or [N, C] behind a mean
  std::vector<size_t> nodes{};  // of the graph: one, or one for each branch
  bool shared = false;          // somebody else reads the tensor as well: its memory must not be overwritten
};

// "conv" and 2: conv2. Counted from 1; 0: no number.
struct LayerName {
  const char* text = "";
  size_t number = 0;
};

// An activation function, or the quantizer's own clipped grid where activations are quantized at the output.
class Activation {
 public:
  Activation() = default;  // plain ReLU
  explicit Activation(ActivationFunction function) : function_(function) {}
  Activation(ActivationFunction function, std::shared_ptr<Quantizer> quantizer)
      : function_(function), quantizer_(std::move(quantizer)) {}

  // Registers what the quantizer learns and remembers, if there is anything.
  void register_in(torch::nn::Module& owner, const std::string& name);
  // At full precision for the time being.
  void bypass(bool on) { bypassed_ = on; }

  [[nodiscard]] ActivationFunction function() const { return function_; }
  [[nodiscard]] Quantizer* quantizer() const { return quantizer_.get(); }  // null: none
  [[nodiscard]] bool quantizes() const { return quantizer_ != nullptr && !bypassed_; }

 private:
  ActivationFunction function_ = ActivationFunction::relu;
  std::shared_ptr<Quantizer> quantizer_;
  bool bypassed_ = false;
};

// Where a feature map may be handed out.
enum class Tap {
  stem,    // the stem's output before its activation
  layer,   // a convolution's output, before the activation; not the block's last
  branch,  // what the block adds to its shortcut
  sum,     // the block's output before its activation
  head     // what a detection head reads and computes (HeadTap)
};

// Of a detection head at one level.
enum class HeadTap {
  input,    // the pyramid's map; comes first
  classes,  // behind a convolution of the class tower and its norm, before the activation; in order
  boxes     // the same of the box tower
};

class Ops {
 public:
  virtual ~Ops() = default;

  // From now on layers' names begin with `prefix`. Names are unique; they are those of the state dict where the layer
  // has weights.
  virtual void scope(const std::string& prefix) = 0;
  // From now on a layer is one of several levels', which share it: its name ends in ".pL". 0: no more.
  virtual void level(int64_t level) = 0;

  // Quantizes its input first where the layer has a quantizer for it; adds its bias where it has one.
  virtual FeatureMap convolution(LayerName name, QuantConv& conv, const FeatureMap& x) = 0;
  virtual FeatureMap norm(LayerName name, const Norm& norm, const FeatureMap& x) = 0;
  // A map that is given up (FeatureMap&&) is read no more by the block: its memory may become the output's.
  virtual FeatureMap activation(LayerName name, const Activation& activation, const FeatureMap& x) = 0;
  virtual FeatureMap activation(LayerName name, const Activation& activation, FeatureMap&& x) = 0;
  // An activation of a norm that nobody else reads: where it can be, in one pass.
  virtual FeatureMap normed_activation(LayerName norm_name, const Norm& norm, LayerName name,
                                       const Activation& activation, const FeatureMap& x) {
    return this->activation(name, activation, this->norm(norm_name, norm, x));
  }
  virtual FeatureMap add(LayerName name, FeatureMap&& y, const FeatureMap& x) = 0;  // y + x
  virtual FeatureMap max_pool(LayerName name, const FeatureMap& x) = 0;             // 3 x 3, stride 2, padding 1
  // 2 x 2, stride 2; the last row and column of an odd map alone.
  virtual FeatureMap average_pool(LayerName name, const FeatureMap& x) = 0;
  // To the height and width of `like`, nearest, by torch's rule: pixel floor(i from / to) of x, at most the last.
  virtual FeatureMap upsample(LayerName name, const FeatureMap& x, const FeatureMap& like) = 0;
  // [N, C]: over all pixels. in_double: summed in float64 and rounded once, as an inference graph always does.
  virtual FeatureMap mean(LayerName name, const FeatureMap& x, bool in_double) = 0;
  virtual FeatureMap linear(LayerName name, QuantLinear& layer, const FeatureMap& x) = 0;  // with bias

  // Computes `count` branches side by side, each on its own part of x's channels, or all on the same x. Within `branch`
  // a layer has the channels of all branches.
  virtual FeatureMap branches(int64_t count, bool same_input, const FeatureMap& x,
                              const std::function<FeatureMap(const FeatureMap&)>& branch) = 0;
  // sum_b weights[b] x_b over the branches of x, in order.
  virtual FeatureMap weighted_sum(LayerName name, const at::Tensor& weights, const FeatureMap& x) = 0;
  // Branch b: c_b x_b + (1 - c_b) y, c = sigmoid(gates).
  virtual FeatureMap blend(LayerName name, const at::Tensor& gates, const FeatureMap& x, const FeatureMap& y) = 0;

  // What the network answers; `level` is a detector's.
  virtual void answer(Answer answer, int64_t level, const FeatureMap& x) = 0;

  // Whether somebody reads this tap; and the tap itself, nothing where nobody does.
  [[nodiscard]] virtual bool wants(Tap /*tap*/) const { return false; }
  virtual void hand_out(Tap /*tap*/, FeatureMap& /*x*/) {}
  virtual void hand_out(HeadTap /*tap*/, int64_t /*level*/, FeatureMap& /*x*/) {}
};

}  // namespace auxbench
