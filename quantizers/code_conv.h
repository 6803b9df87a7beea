// Convolution on integer codes: the sums of products are whole numbers and exact, scale and offset come afterwards.
//
//   y = s_a s_w conv(C_a, C_w) + b_a s_w conv(1, C_w)      uniform levels; b_a: offset, only with LSQ+
//   y = sum_j sum_i v^a_i v^w_j conv(D^a_i, D^w_j)         where there is a basis: sums of digits
//
// with the codes held in floating point. A sum of n products stays exact in float32 while n max|C_a| max|C_w| <= 2^24;
// beyond that (8 bits and many inputs) it is taken in float64. So training, evaluation and an integer engine see the
// same numbers, whatever order they add in. Padding is a true zero, also of grids without one.
// (exact_conv.h: how this holds on a GPU.)
//
// What flows back are gradients with respect to the values, as Codes says: conv's own, from values recomputed out of
// the codes, of which backward keeps a byte a number.
#pragma once

#include <ATen/core/Tensor.h>

#include "quantizers/quantizer.h"

namespace auxbench {

inline constexpr double kExactInFloat = 16777216;  // 2^24

struct ConvGeometry {
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t groups = 1;
};

// How the sums of a convolution on codes are computed. Another way (int8 kernels, a device's own) is another class.
class ConvBackend {
 public:
  virtual ~ConvBackend() = default;
  // y [N, out, H', W'] in the type of a's codes. Neither a nor w is plain; no gradient is asked for.
  [[nodiscard]] virtual at::Tensor convolve(const Codes& a, const Codes& w, const ConvGeometry& geometry) const = 0;
};

// The sums above, exact.
const ConvBackend& exact_sums();
// The same for uniform levels. Where there is a basis values are decoded and convolved once, as backward does: the sums
// of its digits would be as many convolutions as there are pairs of digits, and only evaluation needs them exact.
const ConvBackend& sums_of_training();

// a: [N, C, H, W]; w: [out, C / groups, k, k]; either may be plain values: then so is the product, whatever the backend.
at::Tensor conv_on_codes(const Codes& a, const Codes& w, const ConvGeometry& geometry,
                         const ConvBackend& backend = exact_sums());

// The same, but plain values are multiplied and summed in float64 and rounded once. No gradient.
at::Tensor exact_conv_on_codes(const Codes& a, const Codes& w, const ConvGeometry& geometry);

}  // namespace auxbench
