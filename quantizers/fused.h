// The formulas of kernels/fake_quant as differentiable functions of tensors: one pass each way, all cores or one CUDA
// kernel. For .cc files of this room.
#pragma once

#include <array>
#include <functional>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "kernels/fake_quant/cuda.h"
#include "kernels/fake_quant/fake_quant.h"
#include "quantizers/quantizer.h"

namespace auxbench {

// `value` with the gradient of x: exactly the level, which x + (q - x) would miss by a rounding.
at::Tensor straight_through(const at::Tensor& x, const at::Tensor& value);

// What a formula makes of a tensor: whole numbers, and where the gradient with respect to their values goes.
struct Encoded {
  at::Tensor codes, edge;  // as in Codes
};

// How a formula is applied to a tensor.
struct FusedOptions {
  bool by_row = false;           // pieces are x's rows (output channels): parameters may differ by row. x is contiguous
  size_t learned = 0;            // the first so many parameters get a gradient, in the order of the formula's sums
  double gradient_scale = 1;     // of those gradients
  bool passes_gradient = false;  // the formula's dx is g and it learns nothing: the backward pass is no pass
  at::Tensor source{};           // what x was computed from, when the formula's gradient is with respect to that
  at::Tensor* statistics = nullptr;  // [pieces, Formula::kStatistics] when wanted
  // Adds to dx what an element alone does not know. totals: the formula's sums over x, in double.
  std::function<void(const at::Tensor& x, const at::Tensor& gradient, const at::Tensor& totals, at::Tensor& dx)> finish;
};

namespace fused_detail {

constexpr int64_t kGrain = 16384;  // elements: below it a second core costs more than it gives

// LibTorch's graph holds its nodes by shared_ptr up to some version, by intrusive_ptr from there on.
inline constexpr bool kSharedNodes =
    std::is_same_v<decltype(torch::autograd::Edge::function), std::shared_ptr<torch::autograd::Node>>;
template <typename Node>
using NodePointer = std::conditional_t<kSharedNodes, std::shared_ptr<Node>, c10::intrusive_ptr<Node>>;

template <typename Node>
NodePointer<Node> make_node() {
  if constexpr (kSharedNodes)
    return std::make_shared<Node>();
  else
    return c10::make_intrusive<Node>();
}

struct EncodeNode;

// Elementwise kernels do not care in which order the elements lie, only that operands agree.
at::Tensor dense(const at::Tensor& x, bool by_row);
at::Tensor in_layout_of(const at::Tensor& x, const at::Tensor& model);
// Refuses what no kernel computes on.
void check_runs_on_kernels(const at::Tensor& x);
// LibTorch's current stream on x's CUDA device.
fake_quant::cuda::Stream stream_of(const at::Tensor& x);
// Room for so many numbers for each piece of x.
at::Tensor sums_for(const at::Tensor& x, bool by_row, size_t numbers);

bool needs_gradient(const at::Tensor& x, at::ArrayRef<at::Tensor> parameters);
// A tensor of x's shape and type without memory for its numbers, which nobody reads: what `node` is hung on.
at::Tensor edge_of(const at::Tensor& x, const NodePointer<torch::autograd::Node>& node);
// The edge into `node`, which keeps what its backward pass needs.
at::Tensor attach(const NodePointer<EncodeNode>& node, const at::Tensor& x, at::ArrayRef<at::Tensor> parameters,
                  const FusedOptions& options);
// The edge straight to x.
at::Tensor straight_edge(const at::Tensor& x);
// x's gradient and, out of the sums over pieces, those of the learned parameters.
void finish_gradients(const at::Tensor& x, const at::Tensor& gradient, at::ArrayRef<at::Tensor> parameters,
                      const FusedOptions& options, const at::Tensor& sums, at::Tensor& dx,
                      torch::autograd::variable_list& gradients);

template <typename T>
fake_quant::Parameter<T> parameter_of(const at::Tensor& value, const at::Tensor& x, bool by_row) {
  if (!value.defined()) return {};
  AUXBENCH_CHECK(value.scalar_type() == x.scalar_type() && value.device() == x.device() && value.is_contiguous(),
                 "a parameter of the tensor's type, on its device");
  return {value.const_data_ptr<T>(), by_row && value.dim() > 0 && value.size(0) == x.size(0)};
}

inline size_t piece_length(const at::Tensor& x, bool by_row) {
  return by_row ? static_cast<size_t>(std::max<int64_t>(1, x.numel() / std::max<int64_t>(1, x.size(0))))
                : fake_quant::kPiece;
}

// body(formula, pieces) on all pieces: in one go on a device, by several threads here.
template <typename Body>
void over_pieces(const at::Tensor& x, bool by_row, const Body& body) {
  const auto all = fake_quant::Pieces::of(static_cast<size_t>(x.numel()), piece_length(x, by_row));
  if (x.is_cuda()) return body(all);
  const auto grain = std::max<int64_t>(1, kGrain / static_cast<int64_t>(all.length));
  at::parallel_for(0, static_cast<int64_t>(all.last), grain, [&](int64_t first, int64_t last) {
    body({all.length, static_cast<size_t>(first), static_cast<size_t>(last)});
  });
}

template <typename T>
std::span<const T> elements(const at::Tensor& x) {
  return {x.const_data_ptr<T>(), static_cast<size_t>(x.numel())};
}
template <typename T>
std::span<T> room_in(at::Tensor& x) {
  return {x.mutable_data_ptr<T>(), static_cast<size_t>(x.numel())};
}

template <typename Formula, typename T, size_t N, size_t... I>
Formula formula_of(const typename Formula::Config& config, const std::array<at::Tensor, N>& parameters,
                   const at::Tensor& x, [[maybe_unused]] bool by_row, std::index_sequence<I...>) {
  return Formula(config, parameter_of<T>(parameters[I], x, by_row)...);
}

// Calls body(formula) with the formula of the tensor's type.
template <template <typename> class Formula, size_t N, typename Body>
void with_formula(const at::Tensor& x, const typename Formula<float>::Config& config,
                  const std::array<at::Tensor, N>& parameters, bool by_row, const Body& body) {
  constexpr auto kIndices = std::make_index_sequence<N>();
  if (x.scalar_type() == at::kDouble)
    body(formula_of<Formula<double>, double>(config, parameters, x, by_row, kIndices), double{});
  else
    body(formula_of<Formula<float>, float>(config, parameters, x, by_row, kIndices), float{});
}

// Shared by all formulas: what autograd keeps, and the parts of the backward pass that depend on no formula.
//
// Kept is x, never the codes (a convolution keeps those, a byte a number: packed_codes.h). The gradients of learned
// steps, ranges and thresholds (LSQ, LSQ+, clip-LSQ, QIL, EWGS, APoT, N2UQ) and of Bi-Real Net's polynomial are
// functions of x itself. Those of DoReFa, PACT and LQ-Nets ask only whether x is inside, but there x is the result of a
// ReLU, which autograd keeps for the ReLU: the same memory, and a mask would be kept beside it. A weight is alive anyhow.
struct EncodeNode : torch::autograd::Node {
  torch::autograd::SavedVariable x;
  std::vector<torch::autograd::SavedVariable> parameters;
  FusedOptions options;

  void release_variables() override {
    x.reset_data();
    for (auto& parameter : parameters) parameter.reset_data();
  }
};

template <template <typename> class Formula, size_t N>
struct EncodeNodeOf final : EncodeNode {
  typename Formula<float>::Config config;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& incoming) override {
    torch::autograd::variable_list gradients(1 + N);
    if (!incoming[0].defined()) return gradients;
    const at::NoGradGuard no_gradient;
    const auto input = x.unpack();
    std::array<at::Tensor, N> values;
    for (size_t i = 0; i < N; ++i) values[i] = parameters[i].unpack();
    const auto gradient = in_layout_of(incoming[0], input);
    auto dx = at::empty_like(input);
    at::Tensor sums;
    with_formula<Formula>(input, config, values, options.by_row, [&](const auto& formula, auto type) {
      using T = decltype(type);
      sums = sums_for(input, options.by_row, std::decay_t<decltype(formula)>::kSums);
      over_pieces(input, options.by_row, [&](const fake_quant::Pieces& pieces) {
        if (input.is_cuda())
          fake_quant::cuda::differentiate(formula, elements<T>(input), elements<T>(gradient), pieces, room_in<T>(dx),
                                          room_in<T>(sums), stream_of(input));
        else
          fake_quant::differentiate(formula, elements<T>(input), elements<T>(gradient), pieces, room_in<T>(dx),
                                    room_in<T>(sums));
      });
    });
    finish_gradients(input, gradient, values, options, sums, dx, gradients);
    return gradients;
  }
};

}  // namespace fused_detail

// The codes of x and their edge. config and parameters are the formula's, the latter in the order of its constructor; an undefined one
// takes the formula's own default. Parameters are of x's type, on its device.
template <template <typename> class Formula, size_t N>
Encoded encode_with(const at::Tensor& input, const typename Formula<float>::Config& config,
                    const std::array<at::Tensor, N>& parameters, const FusedOptions& options = {}) {
  using namespace fused_detail;
  check_runs_on_kernels(input);
  const auto x = dense(input, options.by_row);
  at::Tensor codes;
  {
    const at::NoGradGuard no_gradient;
    codes = at::empty_like(x);
    with_formula<Formula>(x, config, parameters, options.by_row, [&](const auto& formula, auto type) {
      using T = decltype(type);
      at::Tensor none = at::empty({0}, x.options());
      auto& statistics = options.statistics == nullptr ? none : *options.statistics;
      if (options.statistics != nullptr)
        statistics = sums_for(x, options.by_row, std::decay_t<decltype(formula)>::kStatistics);
      over_pieces(x, options.by_row, [&](const fake_quant::Pieces& pieces) {
        if (x.is_cuda())
          fake_quant::cuda::encode(formula, elements<T>(x), pieces, room_in<T>(codes), room_in<T>(statistics),
                                   stream_of(x));
        else
          fake_quant::encode(formula, elements<T>(x), pieces, room_in<T>(codes), room_in<T>(statistics));
      });
    });
  }
  if (options.passes_gradient) return {codes, needs_gradient(x, {}) ? straight_edge(x) : at::Tensor()};
  if (!needs_gradient(x, parameters) && !needs_gradient(options.source, {})) return {codes, {}};
  auto node = make_node<EncodeNodeOf<Formula, N>>();
  node->config = config;
  return {codes, attach(node, x, parameters, options)};
}

}  // namespace auxbench
