#include "runner/tasks/detection/box_losses.h"

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

// log(1 + exp(x)) is x from here on in both types, and exp() of it is finite in both.
constexpr double kSoftplusIsLinear = 40;

at::Tensor side(const at::Tensor& boxes, int64_t i) { return boxes.select(1, i); }

at::Tensor areas(const at::Tensor& boxes) {
  return (side(boxes, 2) - side(boxes, 0)) * (side(boxes, 3) - side(boxes, 1));
}

}  // namespace

// With z = x where t = 0 and -x where t = 1: 1 - p_t = sigmoid(z) and -log(p_t) = log(1 + exp(z)).
at::Tensor focal_losses(const at::Tensor& x, const at::Tensor& t, double alpha, double gamma) {
  const auto z = x * (1 - 2 * t);
  const auto weight = (1 - alpha) + (2 * alpha - 1) * t;
  return weight * at::sigmoid(z).pow(gamma) * at::softplus(z, 1, kSoftplusIsLinear);
}

at::Tensor box_l1_loss(const at::Tensor& x, const at::Tensor& t, double beta) {
  if (beta > 0) return at::smooth_l1_loss(x, t, at::Reduction::None, beta).sum(1);
  return (x - t).abs().sum(1);
}

at::Tensor giou_loss(const at::Tensor& boxes, const at::Tensor& truths, double epsilon) {
  const auto low = [](const at::Tensor& a, const at::Tensor& b, int64_t i) {
    return at::minimum(side(a, i), side(b, i));
  };
  const auto high = [](const at::Tensor& a, const at::Tensor& b, int64_t i) {
    return at::maximum(side(a, i), side(b, i));
  };
  const auto width = low(boxes, truths, 2) - high(boxes, truths, 0);
  const auto height = low(boxes, truths, 3) - high(boxes, truths, 1);
  const auto meet = width.gt(0).logical_and_(height.gt(0)).to(boxes.scalar_type());
  const auto inter = width * height * meet;
  const auto all = areas(boxes) + areas(truths) - inter;
  const auto hull = (high(boxes, truths, 2) - low(boxes, truths, 0)) * (high(boxes, truths, 3) - low(boxes, truths, 1));
  return 1 - (inter / (all + epsilon) - (hull - all) / (hull + epsilon));
}

at::Tensor boxes_of_sides(const at::Tensor& sides, const at::Tensor& anchors) {
  const auto size = anchors.slice(1, 2, 4) - anchors.slice(1, 0, 2);
  const auto centre = (anchors.slice(1, 0, 2) + anchors.slice(1, 2, 4)) * 0.5;
  const auto away = at::relu(sides) * at::cat({size, size}, 1);
  return at::cat({centre - away.slice(1, 0, 2), centre + away.slice(1, 2, 4)}, 1);
}

}  // namespace auxbench
