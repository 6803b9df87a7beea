// AdaRound (Nagel et al. 2020, arXiv 2004.10568, eqs. 21-25): each weight is rounded up or down, whichever gives the
// smaller error of the layer's output.
//
//   w~ = s clip(floor(w/s) + h(a), Qn, Qp),  h(a) = clip(1.2 sigmoid(a) - 0.1, 0, 1)
//   minimises mean over output pixels of sum over channels (y - y~)^2  +  lambda sum (1 - |2 h(a) - 1|^beta)
//   a from h(a) = w/s - floor(w/s): a = -ln(1.2/(w/s - floor(w/s) + 0.1) - 1);  in the end h = 1 where a >= 0, else 0
// Ranges of weights and activations are mse.h's. What is learned is put into the weights themselves: afterwards each
// lies on its grid, and rounding to nearest, which is all that encode does, finds it there. Settings: those of mse.h.
#pragma once

#include "quantizers/quantizer.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_adaround(Role role, int bits, const QuantizerSettings& settings);

// The rounding of one weight tensor [channels, ...] while it is learned.
class LearnedRounding {
 public:
  // quantizer: of weights, on a grid of signed integers.
  LearnedRounding(const at::Tensor& weight, Quantizer& quantizer);

  at::Tensor& alpha() { return alpha_; }                    // to be trained
  [[nodiscard]] at::Tensor soft() const;                    // w~, differentiable in alpha
  [[nodiscard]] at::Tensor regularizer(double beta) const;  // sum (1 - |2 h - 1|^beta), without lambda
  [[nodiscard]] at::Tensor hard() const;                    // w~ with h as it is in the end
 private:
  [[nodiscard]] at::Tensor on_grid(const at::Tensor& up) const;

  at::Tensor scale_, floor_, alpha_;
  double lo_, hi_;
};

}  // namespace auxbench
