#include "quantizers/pointwise_conv.h"

#include "quantizers/fused.h"

namespace auxbench {
namespace {

constexpr auto kLayout = at::MemoryFormat::ChannelsLast;

// The pixels that a stride keeps, N H' W' C.
at::Tensor kept(const at::Tensor& x, int64_t stride) {
  const auto last = x.permute({0, 2, 3, 1});
  return stride == 1 ? last : last.slice(1, 0, last.size(1), stride).slice(2, 0, last.size(2), stride);
}

// One row a pixel.
at::Tensor rows_of(const at::Tensor& pixels) { return pixels.reshape({-1, pixels.size(3)}); }

at::Tensor matrix_of(const at::Tensor& w) { return w.reshape({w.size(0), w.size(1)}); }

struct PointwiseNode final : torch::autograd::Node {
  torch::autograd::SavedVariable x, w;
  int64_t stride = 1;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& incoming) override {
    if (!incoming[0].defined()) return torch::autograd::variable_list(2);
    const at::NoGradGuard no_gradient;
    auto [to_x, to_w] = pointwise_gradients(incoming[0], x.unpack(), w.unpack(), stride, task_should_compute_output(0),
                                            task_should_compute_output(1));
    return {to_x, to_w};
  }

  void release_variables() override {
    x.reset_data();
    w.reset_data();
  }
};

}  // namespace

bool is_pointwise(const at::Tensor& x, const at::Tensor& w, int64_t padding, int64_t groups) {
  return x.is_cpu() && x.dim() == 4 && w.dim() == 4 && w.size(2) == 1 && w.size(3) == 1 && padding == 0 &&
         groups == 1 && x.numel() > 0 && x.scalar_type() == w.scalar_type() && x.is_contiguous(kLayout);
}

at::Tensor pointwise_sums(const at::Tensor& x, const at::Tensor& w, int64_t stride) {
  const auto pixels = kept(x, stride);
  const auto y = at::mm(rows_of(pixels), matrix_of(w).t());
  return y.view({pixels.size(0), pixels.size(1), pixels.size(2), w.size(0)}).permute({0, 3, 1, 2});
}

PointwiseGradients pointwise_gradients(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& w, int64_t stride,
                                       bool wants_x, bool wants_w) {
  const auto rows = rows_of(dy.permute({0, 2, 3, 1}));
  PointwiseGradients gradients;
  if (wants_w) gradients.w = at::mm(rows.t(), rows_of(kept(x, stride))).view(w.sizes());
  if (!wants_x) return gradients;
  const auto of_pixels = at::mm(rows, matrix_of(w));
  if (stride == 1) {
    gradients.x = of_pixels.view({x.size(0), x.size(2), x.size(3), x.size(1)}).permute({0, 3, 1, 2});
    return gradients;
  }
  gradients.x = at::zeros_like(x);
  const auto pixels = kept(gradients.x, stride);
  pixels.copy_(of_pixels.view(pixels.sizes()));
  return gradients;
}

at::Tensor pointwise_conv(const at::Tensor& x, const at::Tensor& w, int64_t stride) {
  at::Tensor y;
  {
    const at::NoGradGuard no_gradient;
    y = pointwise_sums(x.detach(), w.detach(), stride);
  }
  if (!fused_detail::needs_gradient(x, {w})) return y;
  auto node = fused_detail::make_node<PointwiseNode>();
  node->x = torch::autograd::SavedVariable(x, /*is_output=*/false);
  node->w = torch::autograd::SavedVariable(w, /*is_output=*/false);
  node->stride = stride;
  for (const auto& input : {x, w})
    node->add_next_edge(input.requires_grad() ? torch::autograd::impl::gradient_edge(input) : torch::autograd::Edge());
  y = y.detach();  // no view of what the product wrote
  torch::autograd::set_history(y, node);
  return y;
}

}  // namespace auxbench
