// A quantizer: a differentiable map onto few levels, given as the integers behind those levels.
//
// One object serves one tensor of one layer (its weights, or its input activations). Gradients go through the
// rounding as the method's paper says (straight-through: as if it were the identity).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "quantizers/methods/methods.h"
#include "quantizers/precision.h"

namespace auxbench {

// evaluation leaves the quantizer as it is; training may update running state.
enum class Phase { training, evaluation };

// Which whole numbers codes may be: first, first + step .. last. Step is 2 on a grid without a level at zero. Not known
// where last < first.
struct CodeRange {
  int64_t first = 0, last = -1, step = 1;

  // Bound of |code|, which says in what type sums of products stay exact.
  [[nodiscard]] int64_t largest() const { return last < 0 ? -first : (-first > last ? -first : last); }
};

// The integers behind a quantized tensor, and what they stand for:
//
//   value = scale * code + offset                          uniform levels
//   value = sum_j basis_j * digit_j(code), j = 0 .. k-1    where there is a basis (LQ-Nets); digit_j is the j-th binary
//                                                          digit of the code, read as -1/+1 for weights, 0/1 otherwise
//
// A weight tensor's scale may be one per output channel, its basis one row per output channel.
// `codes` are whole numbers held in the type that the device computes on and carry no gradient. The gradient's way back
// is `edge`: what arrives there is the gradient with respect to the *value*, and the quantizer turns it into those of
// its input and parameters. Scale, offset and basis carry no gradient of their own.
//
// Plain values (full precision) have neither scale nor basis: `codes` are the values themselves, with their own
// gradient, and there is no edge.
struct Codes {
  at::Tensor codes;
  at::Tensor scale;   // [] or [channels]
  at::Tensor offset;  // []; undefined: 0
  at::Tensor basis;   // [k] or [channels, k]; undefined: uniform
  bool signed_digits = false;
  CodeRange range{};
  at::Tensor edge{};  // of the codes' shape, without memory of its own; undefined: nothing wants a gradient

  [[nodiscard]] bool is_plain() const { return !scale.defined() && !basis.defined(); }
};

// The values; differentiable.
at::Tensor decode(const Codes& codes);

using NamedNumbers = std::map<std::string, double>;

class Quantizer {
 public:
  virtual ~Quantizer() = default;

  // x: float32 or float64; activations of any shape, weights [channels, ...]. The first call fits learned parameters to
  // what it sees; they take x's type and device. Empty tensors come back empty.
  Codes encode(const at::Tensor& x, Phase phase = Phase::evaluation);

  // The values of encode(), in the memory of its codes.
  at::Tensor quantize(const at::Tensor& x, Phase phase = Phase::evaluation);

  // For a method whose state has a row per output channel of a weight: called before the state is registered, for
  // activations with any tensor.
  virtual void allocate_state(const at::Tensor& /*x*/) {}

  // Post-training methods take their range from what passes here at full precision, batch by batch; the others are
  // fitted to the first batch. An encode that comes before observes its own tensor.
  void observe(const at::Tensor& x);

  // How many values quantize can return. Real bits are ceil(log2(levels)).
  [[nodiscard]] virtual int64_t levels() const = 0;

  // Whether values are on the scale of x. Where not, a layer without a norm behind it scales them.
  [[nodiscard]] virtual bool output_in_input_scale() const { return true; }

  // Learned parameters and running state by name, e.g. "step". The layer registers them: they are trained, saved and
  // moved with it.
  std::map<std::string, at::Tensor>& parameters() { return parameters_; }
  std::map<std::string, at::Tensor>& state() { return state_; }

  // A method whose weights carry a learned scale fitted to the layer's output (EWGS): set once, before training.
  [[nodiscard]] virtual bool wants_output_scale() { return false; }
  virtual void set_output_scale(const at::Tensor& ratio);

 protected:
  virtual Codes do_encode(const at::Tensor& x, Phase phase) = 0;
  // Sets parameters from the first tensor; called once in the life of a cell, however often it is resumed.
  virtual void fit(const at::Tensor& /*x*/) {}
  // first: nothing has been observed or fitted before.
  virtual void do_observe(const at::Tensor& x, bool first) {
    if (first) fit(x);
  }

  at::Tensor& add_parameter(const std::string& name, at::Tensor value);
  at::Tensor& add_state(const std::string& name, at::Tensor value);
  // From now on the first tensor is fitted; the flag "fitted" is part of the state.
  void fit_to_first();

 private:
  void adopt_type_of(const at::Tensor& x);

  std::map<std::string, at::Tensor> parameters_, state_;
  bool fits_ = false, fitted_ = false;
};

// Settings of a method by name, e.g. {"detach_max", 1}, or the initial value of a parameter, which then is not fitted.
using QuantizerSettings = NamedNumbers;

// Throws UserError for a method that does not exist, a width it does not define, a setting it does not have.
std::unique_ptr<Quantizer> make_quantizer(const std::string& method, Role role, int bits,
                                          const QuantizerSettings& settings = {});

// Smallest whole number of bits that can tell `levels` values apart.
int real_bits(int64_t levels);

}  // namespace auxbench
