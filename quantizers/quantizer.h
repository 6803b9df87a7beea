// A quantizer: a differentiable map onto few levels, and the integers behind those levels.
//
// One object serves one tensor of one layer (its weights, or its input activations). Gradients go through the
// rounding as the method's paper says (straight-through: as if it were the identity).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace auxbench {

enum class Role { weight, activation };

// value = scale * code + offset, element by element; codes are whole numbers held in the tensor's own type.
struct IntegerCodes {
  at::Tensor codes;
  double scale = 1;
  double offset = 0;
};

class Quantizer {
 public:
  virtual ~Quantizer() = default;

  // Same shape and type as x (float32 or float64). Empty tensors come back empty.
  virtual at::Tensor quantize(const at::Tensor& x) = 0;

  // The same rounding decisions as quantize, as integers; no gradient.
  virtual IntegerCodes integer_codes(const at::Tensor& x) = 0;

  // How many values quantize can return. Real bits are ceil(log2(levels)).
  [[nodiscard]] virtual int64_t levels() const = 0;

  // Learned parameters by name, e.g. "step"; empty for a method without any.
  virtual std::map<std::string, at::Tensor> parameters() { return {}; }
};

// Settings of a method by name, e.g. {"detach_max", 1}; an unknown one throws UserError(usage).
using QuantizerSettings = std::map<std::string, double>;

struct QuantizerMethod {
  std::string name;
  std::string paper;                // citation and equation
  std::string pretrain_activation;  // relu | relu6: of the full-precision network it starts from
  std::string quantize_at;          // conv-input | block-output: its default
  int max_bits = 8;                 // 1 .. max_bits for both roles
  std::unique_ptr<Quantizer> (*make)(Role role, int bits, const QuantizerSettings& settings);
};

// Every method there is; tests, benchmarks, probes and the runner iterate this one list.
const std::vector<QuantizerMethod>& quantizer_table();

// nullptr when there is no such method.
const QuantizerMethod* find_quantizer(const std::string& name);

// Smallest whole number of bits that can tell `levels` values apart.
int real_bits(int64_t levels);

}  // namespace auxbench
