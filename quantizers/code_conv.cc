#include "quantizers/code_conv.h"

#include "quantizers/fused.h"

namespace auxbench {
namespace {

using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

constexpr double kExactInFloat = 16777216;  // 2^24

bool is_plain(const Codes& coded) { return !coded.scale.defined() && !coded.basis.defined(); }

// Digits with their weight in the value; a uniform tensor is one digit, its code.
struct Plane {
  at::Tensor digits;
  at::Tensor weight;  // [] or [out]
};

std::vector<Plane> planes_of(const Codes& coded) {
  if (!coded.basis.defined()) return {{coded.codes, coded.scale}};
  std::vector<Plane> planes;
  for (int64_t j = 0; j < coded.basis.size(-1); ++j)
    planes.push_back({binary_digit(coded, j), coded.basis.select(-1, j)});
  return planes;
}

int64_t largest_digit(const Codes& coded) { return coded.basis.defined() ? 1 : coded.largest; }

// Output channels are the second dimension of what a convolution returns.
at::Tensor per_output(const at::Tensor& numbers) { return numbers.dim() == 0 ? numbers : numbers.view({1, -1, 1, 1}); }

at::Tensor exact_conv(const at::Tensor& a, const at::Tensor& w, const ConvGeometry& geometry, bool in_double) {
  const auto type = in_double ? at::kDouble : a.scalar_type();
  return at::conv2d(a.to(type), w.to(type), {}, geometry.stride, geometry.padding, 1, geometry.groups);
}

at::Tensor forward(const Codes& a, const Codes& w, const ConvGeometry& geometry) {
  const auto taps = static_cast<double>(w.codes.numel() / std::max<int64_t>(1, w.codes.size(0)));
  const bool in_double =
      taps * static_cast<double>(largest_digit(a)) * static_cast<double>(largest_digit(w)) > kExactInFloat;
  at::Tensor y;
  const auto planes_a = planes_of(a), planes_w = planes_of(w);
  for (const auto& plane_a : planes_a) {
    for (const auto& plane_w : planes_w) {
      auto sums = exact_conv(plane_a.digits, plane_w.digits, geometry, in_double);
      sums.mul_(per_output(plane_a.weight * plane_w.weight).to(sums.scalar_type()));
      y = y.defined() ? y.add_(sums) : sums;
    }
  }
  if (a.offset.defined()) {
    const auto valid = at::ones({1, a.codes.size(1), a.codes.size(2), a.codes.size(3)}, a.codes.options());
    for (const auto& plane : planes_w)
      y.add_(exact_conv(valid, plane.digits, geometry, in_double) * per_output(a.offset * plane.weight));
  }
  return y.to(a.codes.scalar_type());
}

// Codes whose tensors autograd may keep: nothing that has a history of its own.
struct SavedCodes {
  SavedVariable codes;
  Codes rest;

  void save(const Codes& coded) {
    codes = SavedVariable(coded.codes, /*is_output=*/false);
    rest = coded;
    rest.codes.reset();
  }
  [[nodiscard]] Codes unpack() const {
    auto coded = rest;
    coded.codes = codes.unpack().detach();
    return coded;
  }
};

struct ConvNode final : torch::autograd::Node {
  SavedCodes a, w;
  ConvGeometry geometry;

  variable_list apply(variable_list&& gradients) override {
    const auto& g = gradients[0];
    if (!g.defined()) return variable_list(2);
    const at::NoGradGuard no_gradient;
    const auto coded = a.unpack();
    // Uniform codes without an offset serve as they are; their scale comes last, on the small side.
    const bool scaled_later = coded.scale.defined() && !coded.offset.defined();
    const auto input = scaled_later ? coded.codes : decode(coded);
    const auto weight = decode(w.unpack());
    auto [to_a, to_w, to_bias] = at::convolution_backward(
        g, input, weight, c10::nullopt, {geometry.stride, geometry.stride}, {geometry.padding, geometry.padding},
        {1, 1}, false, {0, 0}, geometry.groups, {task_should_compute_output(0), task_should_compute_output(1), false});
    if (scaled_later && to_w.defined()) to_w.mul_(coded.scale);
    return {to_a, to_w};
  }

  void release_variables() override {
    a.codes.reset_data();
    w.codes.reset_data();
  }
};

}  // namespace

at::Tensor conv_on_codes(const Codes& a, const Codes& w, const ConvGeometry& geometry) {
  AUXBENCH_CHECK(!w.offset.defined(), "weights without an offset");
  AUXBENCH_CHECK(!a.scale.defined() || a.scale.dim() == 0, "activations with one scale");
  if (is_plain(a) || is_plain(w))
    return at::conv2d(decode(a), decode(w), {}, geometry.stride, geometry.padding, 1, geometry.groups);
  at::Tensor y;
  {
    const at::NoGradGuard no_gradient;
    y = forward(a, w, geometry);
  }
  if (!at::GradMode::is_enabled() || !(a.codes.requires_grad() || w.codes.requires_grad())) return y;
  auto node = fused_detail::make_node<ConvNode>();
  node->a.save(a);
  node->w.save(w);
  node->geometry = geometry;
  node->add_next_edge(torch::autograd::impl::gradient_edge(a.codes));
  node->add_next_edge(torch::autograd::impl::gradient_edge(w.codes));
  torch::autograd::set_history(y, node);
  return y;
}

}  // namespace auxbench
