// A convolution with a norm or a bias behind it, as a pyramid and detection heads are made of. For .cc files of this
// room.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/norm.h"
#include "models/ops.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {

// What weights are drawn from; biases start at 0.
enum class WeightStart {
  fan_in,  // uniform in +-sqrt(3 / (in k k)): Caffe2's Xavier, Kaiming's with a = 1
  normal   // of deviation 0.01
};

struct ConvNormOptions {
  ConvOptions conv;                 // its `norm` and `bias` are set by what stands below
  std::optional<NormOptions> norm;  // none: a bias
  bool bias_beside_group = false;   // and a bias before a group norm as well
  WeightStart start = WeightStart::fan_in;
  LayerPosition position = LayerPosition::inner;
};

// Where the layers stand in the network and what they are called there.
struct ConvNormNames {
  std::string scope;  // prefix of the names below, as Ops::scope takes it
  std::string conv, norm, relu;
};

class ConvNorm {
 public:
  // Registers the convolution and the norm in `owner` by their names without the scope. Its input is quantized here.
  ConvNorm(torch::nn::Module& owner, ConvNormNames names, const ConvNormOptions& options,
           const PrecisionPlan& precision, NormList& norms);

  // Behind the norm, of this place among its levels.
  FeatureMap compute(Ops& ops, const FeatureMap& x, size_t level = 0);
  // And behind a ReLU.
  FeatureMap rectified(Ops& ops, const FeatureMap& x, size_t level = 0);
  // The ReLU alone, of what compute() returned.
  FeatureMap relu(Ops& ops, FeatureMap&& x);

  QuantizedWeight& weight() { return conv_->weight(); }
  [[nodiscard]] const at::Tensor& bias() const { return conv_->bias(); }  // undefined: none

 private:
  FeatureMap convolve(Ops& ops, const FeatureMap& x);

  ConvNormNames names_;
  std::unique_ptr<QuantConv> conv_;
  std::optional<Norm> norm_;
};

}  // namespace auxbench
