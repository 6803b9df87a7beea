#include "quantizers/adaround.h"

#include "quantizers/grid.h"
#include "quantizers/mse.h"

namespace auxbench {
namespace {

// h reaches 0 and 1 at finite alpha.
constexpr double kStretch = 1.2, kMargin = 0.1;

at::Tensor rectified_sigmoid(const at::Tensor& alpha) { return alpha.sigmoid().mul(kStretch).sub(kMargin).clamp(0, 1); }

}  // namespace

std::unique_ptr<Quantizer> make_adaround(Role role, int bits, const QuantizerSettings& settings) {
  return make_mse(role, bits, settings);
}

LearnedRounding::LearnedRounding(const at::Tensor& weight, Quantizer& quantizer) {
  const at::NoGradGuard no_gradient;
  const auto coded = quantizer.encode(weight);
  std::vector<int64_t> shape(static_cast<size_t>(weight.dim()), 1);
  if (coded.scale.dim() > 0) shape[0] = coded.scale.size(0);
  scale_ = coded.scale.reshape(shape);
  const auto v = weight.detach() / scale_;
  floor_ = v.floor();
  lo_ = static_cast<double>(coded.range.first);
  hi_ = static_cast<double>(coded.range.last);
  alpha_ = v.sub_(floor_).add_(kMargin).reciprocal_().mul_(kStretch).sub_(1).log_().neg_();
  alpha_.set_requires_grad(true);
}

at::Tensor LearnedRounding::on_grid(const at::Tensor& up) const { return (floor_ + up).clamp(lo_, hi_) * scale_; }

at::Tensor LearnedRounding::soft() const { return on_grid(rectified_sigmoid(alpha_)); }

at::Tensor LearnedRounding::regularizer(double beta) const {
  return (1 - (2 * rectified_sigmoid(alpha_) - 1).abs().pow(beta)).sum();
}

at::Tensor LearnedRounding::hard() const { return on_grid(alpha_.detach().ge(0).to(floor_.scalar_type())); }

}  // namespace auxbench
