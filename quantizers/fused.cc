#include "quantizers/fused.h"

namespace auxbench {
namespace {

struct StraightThroughNode final : torch::autograd::Node {
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    return std::move(gradients);
  }
};

}  // namespace

namespace fused_detail {

at::Tensor dense(const at::Tensor& x, bool by_row) {
  return by_row || !x.is_non_overlapping_and_dense() ? x.contiguous() : x;
}

at::Tensor in_layout_of(const at::Tensor& x, const at::Tensor& model) {
  return x.strides() == model.strides() ? x : at::empty_like(model).copy_(x);
}

void check_runs_on_kernels(const at::Tensor& x) {
  AUXBENCH_CHECK(x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble, "float32 or float64 to quantize");
  AUXBENCH_CHECK(x.is_cpu() || (x.is_cuda() && fake_quant::cuda::compiled()),
                 "a tensor on the CPU, or on a GPU in a build that has CUDA kernels");
}

fake_quant::cuda::Stream stream_of(const at::Tensor& x) {
  // The guard that LibTorch's CUDA half registered when it was loaded: nothing of CUDA is linked for it.
  return {x.device().index(), c10::impl::VirtualGuardImpl(c10::kCUDA).getStream(x.device()).native_handle()};
}

at::Tensor sums_for(const at::Tensor& x, bool by_row, size_t numbers) {
  const auto pieces = fake_quant::Pieces::of(static_cast<size_t>(x.numel()), piece_length(x, by_row)).last;
  return at::empty({static_cast<int64_t>(pieces), static_cast<int64_t>(numbers)}, x.options());
}

bool needs_gradient(const at::Tensor& x, at::ArrayRef<at::Tensor> parameters) {
  if (!at::GradMode::is_enabled()) return false;
  bool needs = x.defined() && x.requires_grad();
  for (const auto& parameter : parameters) needs = needs || (parameter.defined() && parameter.requires_grad());
  return needs;
}

at::Tensor edge_of(const at::Tensor& x, const NodePointer<torch::autograd::Node>& node) {
  at::Tensor edge;
  {
    const at::NoGradGuard no_gradient;
    edge = at::zeros({}, x.options().requires_grad(false)).expand(x.sizes()).detach();
  }
  torch::autograd::set_history(edge, node);
  return edge;
}

at::Tensor straight_edge(const at::Tensor& x) {
  auto node = make_node<StraightThroughNode>();
  node->add_next_edge(torch::autograd::impl::gradient_edge(x));
  return edge_of(x, node);
}

at::Tensor attach(const NodePointer<EncodeNode>& node, const at::Tensor& x, at::ArrayRef<at::Tensor> parameters,
                  const FusedOptions& options) {
  node->options = options;
  node->options.statistics = nullptr;
  node->x = torch::autograd::SavedVariable(x, /*is_output=*/false);
  node->add_next_edge(torch::autograd::impl::gradient_edge(options.source.defined() ? options.source : x));
  node->options.source.reset();
  for (size_t i = 0; i < parameters.size(); ++i) {
    node->parameters.emplace_back(parameters[i], /*is_output=*/false);
    const bool learned = i < options.learned && parameters[i].defined() && parameters[i].requires_grad();
    node->add_next_edge(learned ? torch::autograd::impl::gradient_edge(parameters[i]) : torch::autograd::Edge());
  }
  return edge_of(x, node);
}

void finish_gradients(const at::Tensor& x, const at::Tensor& gradient, at::ArrayRef<at::Tensor> parameters,
                      const FusedOptions& options, const at::Tensor& sums, at::Tensor& dx,
                      torch::autograd::variable_list& gradients) {
  gradients[0] = dx;
  if (sums.size(1) == 0 || (options.learned == 0 && !options.finish)) return;
  // Pieces are added up in their order, in double: the same on any number of threads.
  const auto totals = sums.to(at::kDouble).sum(0);
  int64_t first = 0;
  for (size_t i = 0; i < options.learned; ++i) {
    const auto& parameter = parameters[i];
    if (!parameter.defined()) break;
    const auto own = totals.narrow(0, first, parameter.numel()).reshape(parameter.sizes());
    gradients[1 + i] = own.mul(options.gradient_scale).to(parameter.scalar_type());
    first += parameter.numel();
  }
  if (options.finish) options.finish(x, gradient, totals, dx);
}

}  // namespace fused_detail

at::Tensor straight_through(const at::Tensor& x, const at::Tensor& value) {
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return value;
  auto result = value.detach();
  auto node = fused_detail::make_node<StraightThroughNode>();
  node->add_next_edge(torch::autograd::impl::gradient_edge(x));
  torch::autograd::set_history(result, node);
  return result;
}

}  // namespace auxbench
