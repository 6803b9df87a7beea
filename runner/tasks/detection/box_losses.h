// The terms that detectors are trained with, element by element or box by box; whoever sums them chooses the divisor.
#pragma once

#include <ATen/core/Tensor.h>

#include "metrics/detection/rules.h"

namespace auxbench {

// Focal loss (Lin et al. 2017, arXiv 1708.02002, eq. 5) of logits x against t in {0, 1}, of the same shape:
//
//   p_t = sigmoid(x) where t = 1, 1 - sigmoid(x) else;  a_t = alpha where t = 1, 1 - alpha else
//   -a_t (1 - p_t)^gamma log(p_t)
at::Tensor focal_losses(const at::Tensor& x, const at::Tensor& t, double alpha, double gamma);

// |x - t|, or with beta > 0 where that is below beta 0.5 (x - t)^2 / beta, else |x - t| - beta / 2; [P, 4] to [P], summed.
at::Tensor box_l1_loss(const at::Tensor& x, const at::Tensor& t, double beta);

// 1 - generalized IoU (Rezatofighi et al. 2019, arXiv 1902.09630) of boxes x0 y0 x1 y1, [P, 4] to [P]:
//
//   inter / (union + e) - (hull - union) / (hull + e)      union = a + b - inter, hull: the least box around both
at::Tensor giou_loss(const at::Tensor& boxes, const at::Tensor& truths, double epsilon);

// The boxes that l t r b [P, 4], behind a ReLU and times the anchor's width and height, describe around the anchors'
// centres (metrics/detection/coder.h).
at::Tensor boxes_of_sides(const at::Tensor& sides, const at::Tensor& anchors);

}  // namespace auxbench
