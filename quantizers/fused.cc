#include "quantizers/fused.h"

#include <cmath>

#include "base/torch_prelude.h"
#include "kernels/fake_quant/cuda.h"

namespace auxbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t kGrain = 16384;  // elements: below it a second core costs more than it gives

// Whether kernels/ computes on this tensor; where not (half precision, CUDA without nvcc), LibTorch's own operators do.
bool runs_on_kernels(const at::Tensor& x) {
  const bool type = x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble;
  return type && (x.is_cpu() || (x.is_cuda() && fake_quant::cuda::compiled()));
}

// Calls body(T{}) with the tensor's type.
template <typename Body>
void with_type(const at::Tensor& x, const Body& body) {
  if (x.scalar_type() == at::kDouble)
    body(double{});
  else
    body(float{});
}

template <typename T>
std::span<const T> elements(const at::Tensor& x) {
  return {x.const_data_ptr<T>(), static_cast<size_t>(x.numel())};
}

// make(T{}) is the formula; it is applied to x, or to x and its gradient, which share one memory layout.
template <typename Make, typename... Gradient>
at::Tensor map(const Make& make, const at::Tensor& x, const Gradient&... gradient) {
  auto out = at::empty_like(x);
  with_type(x, [&](auto type) {
    using T = decltype(type);
    const auto formula = make(type);
    const std::span<T> whole(out.mutable_data_ptr<T>(), static_cast<size_t>(out.numel()));
    if (x.is_cuda()) return fake_quant::cuda::map(formula, elements<T>(x), elements<T>(gradient)..., whole);
    at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
      const auto part = [&](auto span) {
        return span.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
      };
      fake_quant::map(formula, part(elements<T>(x)), part(elements<T>(gradient))..., part(whole));
    });
  });
  return out;
}

// Elementwise kernels do not care in which order the elements lie, only that both operands agree.
at::Tensor dense(const at::Tensor& x) { return x.is_non_overlapping_and_dense() ? x : x.contiguous(); }

at::Tensor in_layout_of(const at::Tensor& x, const at::Tensor& model) {
  return x.strides() == model.strides() ? x : at::empty_like(model).copy_(x);
}

at::Tensor quantize_forward(const at::Tensor& x, const fake_quant::ClipGrid& grid) {
  if (!runs_on_kernels(x))
    return x.clamp(0, grid.hi).mul_(grid.steps / grid.unit).round_().div_(grid.steps).mul_(grid.unit);
  return map([&](auto type) { return fake_quant::ClipLevel<decltype(type)>(grid); }, x);
}

at::Tensor quantize_backward(const at::Tensor& x, const at::Tensor& gradient, const fake_quant::ClipGrid& grid) {
  if (!runs_on_kernels(x)) {
    const auto above = grid.bounds == fake_quant::BoundGradient::pass ? x.ge(0) : x.gt(0);
    const auto below = grid.bounds == fake_quant::BoundGradient::stop ? x.lt(grid.hi) : x.le(grid.hi);
    return gradient * above.logical_and_(below);
  }
  return map([&](auto type) { return fake_quant::ClipGradient<decltype(type)>(grid); }, x, in_layout_of(gradient, x));
}

struct ClipQuantize : Function<ClipQuantize> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const fake_quant::ClipGrid& grid) {
    const auto x = dense(input);
    context->save_for_backward({x});
    context->saved_data["hi"] = grid.hi;
    context->saved_data["steps"] = grid.steps;
    context->saved_data["unit"] = grid.unit;
    context->saved_data["bounds"] = static_cast<int64_t>(grid.bounds);
    return quantize_forward(x, grid);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const fake_quant::ClipGrid grid = {
        .hi = context->saved_data["hi"].toDouble(),
        .steps = context->saved_data["steps"].toDouble(),
        .unit = context->saved_data["unit"].toDouble(),
        .bounds = static_cast<fake_quant::BoundGradient>(context->saved_data["bounds"].toInt())};
    return {quantize_backward(saved[0], gradients[0], grid), at::Tensor()};
  }
};

struct StraightThrough : Function<StraightThrough> {
  static at::Tensor forward(AutogradContext*, const at::Tensor&, const at::Tensor& quantized) {
    return quantized.clone();
  }
  static variable_list backward(AutogradContext*, variable_list gradients) { return {gradients[0], at::Tensor()}; }
};

struct DorefaWeight : Function<DorefaWeight> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& w, double steps, bool detach_max) {
    const auto t = dense(w).tanh();
    const double found = t.numel() == 0 ? 0.0 : t.abs().max().item<double>();
    const double max_abs = found > 0 || std::isnan(found) ? found : 1.0;
    context->save_for_backward({t});
    context->saved_data["max"] = max_abs;
    context->saved_data["detach_max"] = detach_max || found == 0.0;
    if (!runs_on_kernels(t)) return t.div(2 * max_abs).add_(0.5).mul_(steps).round_().div_(steps).mul_(2).sub_(1);
    return map([&](auto type) { return fake_quant::DorefaLevel<decltype(type)>(max_abs, steps); }, t);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto t = context->get_saved_variables()[0];
    const double max_abs = context->saved_data["max"].toDouble();
    const auto g = in_layout_of(gradients[0], t);
    auto out = runs_on_kernels(t)
                   ? map([&](auto type) { return fake_quant::DorefaGradient<decltype(type)>(max_abs); }, t, g)
                   : t.square().neg_().add_(1).mul_(g).div_(max_abs);
    if (!context->saved_data["detach_max"].toBool() && t.numel() > 0) {
      // Through the maximum: its gradient is shared evenly among ties, as torch's full max() does.
      const auto at_max = t.abs().eq(max_abs);
      const auto share = (g * t).sum() / (at_max.sum().to(t.scalar_type()) * (max_abs * max_abs));
      out.sub_(at_max * t.sign() * (1 - t.square()) * share);
    }
    return {out, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor clip_quantize(const at::Tensor& x, const fake_quant::ClipGrid& grid) { return ClipQuantize::apply(x, grid); }

at::Tensor straight_through(const at::Tensor& x, const at::Tensor& quantized) {
  return StraightThrough::apply(x, quantized);
}

at::Tensor dorefa_weight(const at::Tensor& w, double steps, bool detach_max) {
  return DorefaWeight::apply(w, steps, detach_max);
}

}  // namespace auxbench
