// The list of quantization methods and what is known of each without LibTorch: its widths and the network it expects.
//
// methods.inc is the list itself, one line a method. The suite language takes its names and defaults from here; the
// makers behind the names are in quantizers/quantizer.h.
#pragma once

#include <string>
#include <vector>

namespace auxbench {

struct BitRange {
  int first = 1;
  int last = 8;
  [[nodiscard]] bool has(int bits) const { return bits >= first && bits <= last; }
};

// How a method comes to its parameters: they and the weights are trained; or, after training, ranges are observed on a
// few images; or, besides, each weight's rounding is learned layer by layer.
enum class Fitting { training, calibration, reconstruction };

struct QuantizerMethod {
  std::string name;
  std::string paper;  // citation and equation
  BitRange weight_bits, activation_bits;
  std::string activation;          // of the full-precision network it starts from: relu | relu6 | hardtanh | tanh
  std::string quantize_at;         // conv-input | block-output
  std::string block;               // post-act | pre-act | bireal | group
  double parameter_lr = 1;         // learning rate of its learned parameters, as a multiple of the weights'
  bool decays_parameters = false;  // whether weight decay reaches them
  Fitting fitting = Fitting::training;
  int epoch = 1;  // of its code: raised when a change changes numbers

  [[nodiscard]] bool post_training() const { return fitting != Fitting::training; }
};

const std::vector<QuantizerMethod>& quantizer_methods();

// nullptr when there is no such method.
const QuantizerMethod* find_quantizer(const std::string& name);

}  // namespace auxbench
