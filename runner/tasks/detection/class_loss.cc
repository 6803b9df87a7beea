#include "runner/tasks/detection/class_loss.h"

#include <numeric>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "kernels/focal_loss/focal_loss.h"
#include "metrics/detection/matcher.h"
#include "runner/tasks/detection/box_losses.h"

namespace auxbench {
namespace {

static_assert(kBackground == -1 && kIgnored < kBackground, "labels as kernels/focal_loss reads them");

struct Judged {
  at::Tensor loss, gradient;  // the gradient lies as the logits do
};

template <typename T>
Judged judge(const at::Tensor& logits, const at::Tensor& labels, int64_t classes, const std::vector<double>& weights,
             double alpha) {
  const bool last = !logits.is_contiguous();
  const auto images = logits.size(0);
  const focal_loss::Map map = {.anchors = static_cast<size_t>(labels.size(1)),
                               .classes = static_cast<size_t>(classes),
                               .places = static_cast<size_t>(labels.size(2)),
                               .channels_last = last};
  auto gradient = at::empty_like(logits);
  const T* x = logits.const_data_ptr<T>();
  const auto* own = labels.const_data_ptr<int64_t>();
  T* dx = gradient.mutable_data_ptr<T>();
  const size_t anchors = map.anchors * map.places;
  std::vector<double> losses(static_cast<size_t>(images));
  at::parallel_for(0, images, 1, [&](int64_t first, int64_t end) {
    for (auto n = static_cast<size_t>(first); n < static_cast<size_t>(end); ++n)
      losses[n] =
          weights[n] * focal_loss::loss_and_gradient<T>({x + n * map.size(), map.size()}, {own + n * anchors, anchors},
                                                        map, alpha, weights[n], {dx + n * map.size(), map.size()});
  });
  return {.loss = at::full({}, std::accumulate(losses.begin(), losses.end(), 0.0), logits.options()),
          .gradient = gradient};
}

class FusedClassLoss : public torch::autograd::Function<FusedClassLoss> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& logits,
                            const at::Tensor& labels, int64_t classes, const std::vector<double>& weights,
                            double alpha) {
    const auto dense = logits.is_contiguous() || logits.is_contiguous(at::MemoryFormat::ChannelsLast)
                           ? logits
                           : logits.contiguous(at::MemoryFormat::ChannelsLast);
    const auto found = logits.scalar_type() == at::kDouble
                           ? judge<double>(dense, labels.contiguous(), classes, weights, alpha)
                           : judge<float>(dense, labels.contiguous(), classes, weights, alpha);
    context->save_for_backward({found.gradient});
    return found.loss;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& incoming) {
    const auto factor = incoming[0].item<double>();
    const auto gradient = context->get_saved_variables()[0];
    // The losses of a network are summed as they are: 1 is the rule.
    return {factor == 1 ? gradient : gradient * factor, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor class_loss(const at::Tensor& logits, const at::Tensor& labels, int64_t classes,
                      const std::vector<double>& weights, const LossRules& rules) {
  AUXBENCH_CHECK(logits.dim() == 4 && labels.dim() == 3 && logits.size(0) == std::ssize(weights) &&
                     logits.size(0) == labels.size(0) && logits.size(1) == labels.size(1) * classes &&
                     logits.size(2) * logits.size(3) == labels.size(2),
                 "labels and weights of the logits' size");
  const bool fits = logits.is_cpu() && labels.is_cpu() && rules.focal_gamma == focal_loss::kGamma &&
                    (logits.scalar_type() == at::kFloat || logits.scalar_type() == at::kDouble);
  if (!fits) return class_loss_by_formula(logits, labels, classes, weights, rules);
  return FusedClassLoss::apply(logits, labels, classes, weights, rules.focal_alpha);
}

at::Tensor class_loss_by_formula(const at::Tensor& logits, const at::Tensor& labels, int64_t classes,
                                 const std::vector<double>& weights, const LossRules& rules) {
  const auto numbers = logits.options().requires_grad(false);
  const auto wanted = labels.to(logits.device()).unsqueeze(2);
  const auto x = logits.reshape({wanted.size(0), wanted.size(1), classes, wanted.size(3)});
  auto t = at::zeros(x.sizes(), numbers);
  t.scatter_(2, wanted.clamp_min(0), wanted.ge(0).to(numbers));
  const auto counts = wanted.ne(int64_t{kIgnored}).to(numbers);
  const auto of_images = (focal_losses(x, t, rules.focal_alpha, rules.focal_gamma) * counts).sum({1, 2, 3});
  return (of_images * at::tensor(weights, at::kDouble).to(numbers)).sum();
}

}  // namespace auxbench
