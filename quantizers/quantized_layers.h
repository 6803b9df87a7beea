// Convolution and linear layers with quantized weights and input: the one place that decides how codes meet weights.
//
// Where both are quantized the layer convolves integer codes (code_conv.h); otherwise it convolves values. A forward
// pass on integers (bf16, int8) that is faster than full precision comes in here too.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "quantizers/code_conv.h"
#include "quantizers/precision.h"
#include "quantizers/quantizer.h"

namespace torch::nn {
class Module;
}

namespace auxbench {

struct ConvOptions {
  int64_t in = 0;
  int64_t out = 0;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t groups = 1;
  bool norm = true;   // a batch norm follows: weights that do not keep their scale need no other
  bool bias = false;  // a number for each output channel is added, 0 at first
};

// What went through a layer once.
struct LayerPass {
  at::Tensor input;   // values, before the layer's own quantizer
  at::Tensor output;  // before norm and bias
  ConvGeometry geometry;
};

// A weight tensor with the quantizers of a layer, null at full precision. Its module holds "weight", and what the
// quantizers learn and remember as "weight_quantizer.NAME" and "input_quantizer.NAME".
//
// In evaluation a layer of a quantized network that multiplies values, not codes (a first or last layer), sums them in
// float64 and rounds once: so the network says the same on every machine, and an integer engine can say it too.
class QuantizedWeight {
 public:
  QuantizedWeight(at::Tensor weight, const PrecisionPlan& plan, const LayerPrecision& precision, bool quantize_input);

  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const { return module_; }
  [[nodiscard]] bool full_precision() const { return !weight_quantizer_ && !input_quantizer_; }
  [[nodiscard]] const at::Tensor& values() const { return weight_; }
  // null where that side is not quantized, or the input is quantized by the block before.
  Quantizer* weight_quantizer() { return weight_quantizer_.get(); }
  Quantizer* input_quantizer() { return input_quantizer_.get(); }
  [[nodiscard]] bool quantizes_input() const { return input_quantizer_ != nullptr && !bypassed_; }
  // A bypassed layer computes at full precision; its quantizers learn nothing meanwhile.
  void bypass(bool on) { bypassed_ = on; }
  // Called with every pass from now on; an empty function ends it.
  void watch(std::function<void(const LayerPass&)> watcher) { watcher_ = std::move(watcher); }
  [[nodiscard]] bool watched() const { return watcher_ != nullptr; }

  // y[N, out, ..] from x[N, in, ..]; with_norm false multiplies weights q that do not keep their scale by the
  // detached s = <w, q> / <q, q> that brings s q closest to w (one bit: E|w|), since no norm can undo their magnitude.
  at::Tensor convolve(const Codes& x, const ConvGeometry& geometry, bool with_norm);

  // Whether values are summed in float64 now: an evaluation of a quantized network.
  [[nodiscard]] bool sums_exactly() const;
  // The weights as evaluation convolves them; plain values at full precision.
  [[nodiscard]] Codes encoded(bool with_norm);

 private:
  friend class OneEncoding;

  Codes weights_for(const Codes& input, const ConvGeometry& geometry, bool with_norm, Phase phase);
  void scale_without_norm(Codes& weight) const;
  void fit_output_scale(const Codes& x, const Codes& w, const ConvGeometry& geometry);

  std::shared_ptr<torch::nn::Module> module_;
  std::shared_ptr<Quantizer> weight_quantizer_, input_quantizer_;
  at::Tensor weight_;
  bool bypassed_ = false, of_quantized_network_ = false;
  bool encodes_once_ = false;
  std::optional<Codes> weights_of_pass_;  // while it encodes once, behind its first convolution
  std::function<void(const LayerPass&)> watcher_;
};

// While it lives the layer's weights are encoded once, whatever the number of maps it convolves: a layer that several
// levels of a pyramid share is one tensor to its quantizer, which learns from it once a step, and its gradients add up
// before they go through the quantizer. Weights, phase and bypass do not change meanwhile.
class OneEncoding {
 public:
  explicit OneEncoding(QuantizedWeight& layer) : layer_(layer) { layer_.encodes_once_ = true; }
  ~OneEncoding() {
    layer_.encodes_once_ = false;
    layer_.weights_of_pass_.reset();
  }
  OneEncoding(const OneEncoding&) = delete;
  OneEncoding& operator=(const OneEncoding&) = delete;

 private:
  QuantizedWeight& layer_;
};

// Weights [out, in / groups, kernel, kernel], Kaiming-normal by fan-out (as torchvision's ResNets), and a bias where the
// options say so.
class QuantConv {
 public:
  QuantConv(const ConvOptions& options, const PrecisionPlan& plan, LayerPosition position, bool quantize_input);

  // The network registers it under the layer's name.
  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const { return weight_.module(); }

  // x [N, in, H, W]. The input is quantized here unless the block has done it at its output.
  at::Tensor forward(const Codes& x);
  at::Tensor forward(const at::Tensor& x) { return forward(Codes{.codes = x}); }

  [[nodiscard]] bool quantizes_input() const { return weight_.quantizes_input(); }
  void bypass(bool on) { weight_.bypass(on); }
  QuantizedWeight& weight() { return weight_; }
  [[nodiscard]] const at::Tensor& bias() const { return bias_; }  // [out]; undefined: none
  [[nodiscard]] const ConvOptions& options() const { return options_; }

 private:
  ConvOptions options_;
  QuantizedWeight weight_;
  at::Tensor bias_;
};

// Weights [out, in] and bias, initialised as torch's Linear.
class QuantLinear {
 public:
  QuantLinear(int64_t in, int64_t out, const PrecisionPlan& plan, LayerPosition position = LayerPosition::last);
  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const { return weight_.module(); }
  at::Tensor forward(const at::Tensor& x);
  QuantizedWeight& weight() { return weight_; }
  [[nodiscard]] const at::Tensor& bias() const { return bias_; }

 private:
  QuantizedWeight weight_;
  at::Tensor bias_;
};

// Registers what a quantizer learns and remembers under `name`, if there is anything.
void register_quantizer(torch::nn::Module& owner, const std::string& name, Quantizer& quantizer);

// The names below `root` of everything so registered: what quantizers learn and remember, whatever it is called.
std::set<std::string> quantizer_tensors(const torch::nn::Module& root);

// The quantizer of a layer; nullptr at full precision. Eight bits, which first and last layers may have, are LSQ's
// where the method does not define them.
std::unique_ptr<Quantizer> layer_quantizer(const PrecisionPlan& plan, Role role, int bits);

}  // namespace auxbench
