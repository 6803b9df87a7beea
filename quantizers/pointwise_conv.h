// A convolution of kernel 1 as one product of matrices, on the CPU and in the layout N H W C, where pixels are rows:
// fewer steps than a convolution's own set-up takes on small maps. For .cc files.
//
//   y[p, o] = sum_i x[p, i] w[o, i]        p: the pixels of all images, with a stride those that it keeps
#pragma once

#include "base/torch_prelude.h"

namespace auxbench {

// Whether x [N, C, H, W] and w [out, C, 1, 1] are convolved here: one group, no padding.
bool is_pointwise(const at::Tensor& x, const at::Tensor& w, int64_t padding, int64_t groups);

// Without a gradient; y is laid out like x.
at::Tensor pointwise_sums(const at::Tensor& x, const at::Tensor& w, int64_t stride);

struct PointwiseGradients {
  at::Tensor x, w;  // of the shapes of x and w; undefined where not wanted
};
PointwiseGradients pointwise_gradients(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& w, int64_t stride,
                                       bool wants_x, bool wants_w);

// With a gradient; no second derivatives.
at::Tensor pointwise_conv(const at::Tensor& x, const at::Tensor& w, int64_t stride);

}  // namespace auxbench
