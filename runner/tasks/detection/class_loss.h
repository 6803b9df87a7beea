// What a level's class logits are trained with.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "metrics/detection/rules.h"

namespace auxbench {

// Sum over images n of weights[n] times the focal loss (box_losses.h) of those anchors that are not ignored, a scalar.
// logits [N, A classes, H, W], the classes of an anchor side by side; labels [N, A, H W] int64 on the CPU: a class,
// kBackground or kIgnored (metrics/detection/matcher.h).
//
// float32 and float64 on the CPU with gamma = 2 go through kernels/focal_loss, which sums in double and makes the gradient
// in the same pass; everything else goes by the formula. No second derivatives on the first way.
at::Tensor class_loss(const at::Tensor& logits, const at::Tensor& labels, int64_t classes,
                      const std::vector<double>& weights, const LossRules& rules);

// The same by single operations of LibTorch.
at::Tensor class_loss_by_formula(const at::Tensor& logits, const at::Tensor& labels, int64_t classes,
                                 const std::vector<double>& weights, const LossRules& rules);

}  // namespace auxbench
