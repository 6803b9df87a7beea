// torch's BatchNorm2d on kernels/batch_norm: one pass where LibTorch takes several small ones, with the sum and the ReLU
// that follow it folded in. For .cc files.
//
//   y = relu(norm(x) + added)      added and relu as AfterNorm says; running statistics as torch updates them
//
// Backward keeps x, and y where there is a ReLU, which whatever reads y keeps as well. Sums are taken in another order
// than torch's. No second derivatives.
//
// One value a channel has no variance, and torch refuses it in training: a detector meets it at the last level of one
// small image. Here the running statistics normalise it and stay as they are.
#pragma once

#include <ATen/core/Tensor.h>

namespace torch::nn {
class BatchNorm2dImpl;
}

namespace auxbench {

struct AfterNorm {
  at::Tensor added{};  // of x's shape; undefined: nothing is added
  bool relu = false;
};

// x [N, channels, H, W]. In training, float32 and float64 on the CPU go the fast way, everything else torch's own.
at::Tensor normalised(torch::nn::BatchNorm2dImpl& norm, const at::Tensor& x, const AfterNorm& after = {});

// relu(x alpha + beta + added), [channels] constants, without a gradient: on the CPU in one pass, each product and sum
// rounded once, which is what the single operations give.
at::Tensor affine(const at::Tensor& x, const at::Tensor& alpha, const at::Tensor& beta, const AfterNorm& after = {});

// What follows a norm, by the single operations.
at::Tensor followed_by(at::Tensor y, const AfterNorm& after);

}  // namespace auxbench
