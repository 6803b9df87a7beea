#include "quantizers/fused.h"

#include <cmath>

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t kGrain = 16384;  // elements: below it a second core costs more than it gives

template <typename T>
std::span<const T> read_span(const at::Tensor& x, int64_t begin, int64_t end) {
  return {x.const_data_ptr<T>() + begin, static_cast<size_t>(end - begin)};
}

template <typename T>
std::span<T> write_span(const at::Tensor& x, int64_t begin, int64_t end) {
  return {x.mutable_data_ptr<T>() + begin, static_cast<size_t>(end - begin)};
}

// Calls body(T{}, begin, end) over the elements of `like`, in parallel chunks.
template <typename Body>
void for_each_chunk(const at::Tensor& like, const Body& body) {
  at::parallel_for(0, like.numel(), kGrain, [&](int64_t begin, int64_t end) {
    if (like.scalar_type() == at::kDouble)
      body(double{}, begin, end);
    else
      body(float{}, begin, end);
  });
}

bool runs_on_kernels(const at::Tensor& x) {
  return x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

// Elementwise kernels do not care in which order the elements lie, only that both operands agree.
at::Tensor dense(const at::Tensor& x) { return x.is_non_overlapping_and_dense() ? x : x.contiguous(); }

at::Tensor in_layout_of(const at::Tensor& x, const at::Tensor& model) {
  return x.strides() == model.strides() ? x : at::empty_like(model).copy_(x);
}

at::Tensor quantize_forward(const at::Tensor& x, const ClipGrid& grid) {
  if (!runs_on_kernels(x))
    return x.clamp(0, grid.hi).mul_(grid.steps / grid.unit).round_().div_(grid.steps).mul_(grid.unit);
  auto out = at::empty_like(x);
  for_each_chunk(x, [&](auto type, int64_t begin, int64_t end) {
    using T = decltype(type);
    clip_quantize<T>(read_span<T>(x, begin, end), grid, write_span<T>(out, begin, end));
  });
  return out;
}

at::Tensor quantize_backward(const at::Tensor& x, const at::Tensor& gradient, const ClipGrid& grid) {
  if (!runs_on_kernels(x)) {
    const auto above = grid.bounds == BoundGradient::pass ? x.ge(0) : x.gt(0);
    const auto below = grid.bounds == BoundGradient::stop ? x.lt(grid.hi) : x.le(grid.hi);
    return gradient * above.logical_and_(below);
  }
  const auto g = in_layout_of(gradient, x);
  auto out = at::empty_like(x);
  for_each_chunk(x, [&](auto type, int64_t begin, int64_t end) {
    using T = decltype(type);
    clip_quantize_backward<T>(read_span<T>(x, begin, end), read_span<T>(g, begin, end), grid,
                              write_span<T>(out, begin, end));
  });
  return out;
}

struct ClipQuantize : Function<ClipQuantize> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const ClipGrid& grid) {
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
    const ClipGrid grid = {.hi = context->saved_data["hi"].toDouble(),
                           .steps = context->saved_data["steps"].toDouble(),
                           .unit = context->saved_data["unit"].toDouble(),
                           .bounds = static_cast<BoundGradient>(context->saved_data["bounds"].toInt())};
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
    auto out = at::empty_like(t);
    for_each_chunk(t, [&](auto type, int64_t begin, int64_t end) {
      using T = decltype(type);
      dorefa_weight<T>(read_span<T>(t, begin, end), static_cast<T>(max_abs), steps, write_span<T>(out, begin, end));
    });
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto t = context->get_saved_variables()[0];
    const double max_abs = context->saved_data["max"].toDouble();
    const auto g = in_layout_of(gradients[0], t);
    at::Tensor out;
    if (runs_on_kernels(t)) {
      out = at::empty_like(t);
      for_each_chunk(t, [&](auto type, int64_t begin, int64_t end) {
        using T = decltype(type);
        dorefa_weight_backward<T>(read_span<T>(t, begin, end), read_span<T>(g, begin, end), static_cast<T>(max_abs),
                                  write_span<T>(out, begin, end));
      });
    } else {
      out = t.square().neg_().add_(1).mul_(g).div_(max_abs);
    }
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

at::Tensor clip_quantize(const at::Tensor& x, const ClipGrid& grid) { return ClipQuantize::apply(x, grid); }

at::Tensor straight_through(const at::Tensor& x, const at::Tensor& quantized) {
  return StraightThrough::apply(x, quantized);
}

at::Tensor dorefa_weight(const at::Tensor& w, double steps, bool detach_max) {
  return DorefaWeight::apply(w, steps, detach_max);
}

}  // namespace auxbench
