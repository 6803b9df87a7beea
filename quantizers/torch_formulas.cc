#include "quantizers/torch_formulas.h"

#include <cmath>

#include "quantizers/grid.h"

namespace auxbench {
namespace {

using at::Tensor;
using Formula = std::function<Tensor(const Tensor&)>;

constexpr double kSteps = 3;  // two bits

Tensor rounded(const Tensor& x) { return straight_through(x, x.detach().round()); }

Tensor side(const Tensor& x) {
  return at::where(x.detach().ge(0), at::ones({}, x.options()), -at::ones({}, x.options()));
}

// One number per output channel, shaped to multiply.
Tensor channels(const Tensor& numbers) { return numbers.view({-1, 1, 1, 1}); }

Tensor channel_means(const Tensor& w) { return channels(w.detach().abs().flatten(1).mean(1)); }

Tensor mid_rise(const Tensor& v) { return 2 * rounded(kSteps * (v / 2 + 0.5)) / kSteps - 1; }

Tensor dorefa_weight(const Tensor& w) {
  const auto t = w.tanh();
  return 2 * rounded(kSteps * (t / (2 * t.abs().max()) + 0.5)) / kSteps - 1;
}

Tensor sawb_weight(const Tensor& w) {
  const auto held = w.detach();
  const auto alpha = held.square().mean().sqrt() * 3.12 - held.abs().mean() * 2.064;
  return straight_through(w, mid_rise((held / alpha).clamp(-1, 1)) * alpha);
}

Tensor clip_lsq_weight(const Tensor& w, const Tensor& clip) {
  const auto held = w.detach();
  return mid_rise(((w - held.mean()) / held.std() / clip).clamp(-1, 1)) * clip;
}

Tensor scaled_gradient(const Tensor& x, double scale) { return x * scale + (x - x * scale).detach(); }

Tensor lsq(const Tensor& x, const Tensor& step, const Tensor& offset, const fake_quant::StepConfig& grid) {
  const double scale = 1 / std::sqrt(static_cast<double>(x.numel()) * grid.hi);
  const auto s = scaled_gradient(step, scale);
  if (!offset.defined()) return rounded((x / s).clamp(grid.lo, grid.hi)) * s;
  const auto b = scaled_gradient(offset, scale);
  return rounded(((x - b) / s).clamp(grid.lo, grid.hi)) * s + b;
}

// On the grid of a range that reaches zero, which is a level.
Tensor affine(const Tensor& x, const Tensor& low, const Tensor& high) {
  const auto scale = (high - low) / kSteps, zero = (-low / scale).round();
  return (rounded(((x + zero * scale) / scale).clamp(0, kSteps)) - zero) * scale;
}

// Each channel on the range of its weights.
Tensor fqn_weight(const Tensor& w) {
  const auto rows = w.detach().flatten(1);
  return affine(w, channels(rows.amin(1).clamp_max(0)), channels(rows.amax(1).clamp_min(0)));
}

// The first batch of training, of so few numbers that the percentiles are its ends.
Tensor fqn_activation(const Tensor& x) {
  const auto held = x.detach();
  return affine(x, held.min().clamp_max(0), held.max().clamp_min(0));
}

Tensor interval(const Tensor& size, const Tensor& centre, const Tensor& width, double steps) {
  return rounded(((size - (centre - width)) / (2 * width)).clamp(0, 1) * steps) / steps;
}

Tensor ewgs(const Tensor& x, const Tensor& low, const Tensor& high, const Tensor& delta) {
  const auto u = ((x - low) / (high - low)).clamp(0, 1);
  const auto scaled = u * kSteps;
  const auto q = straight_through(scaled, scaled.detach().round()) / kSteps;
  if (q.requires_grad()) {
    const auto error = u.detach() - q.detach();
    q.register_hook([=](const Tensor& g) { return g * (1 + delta * g.sign() * error); });
  }
  return q;
}

// To the nearest of `levels`, which ascend; v >= 0.
Tensor nearest(const Tensor& v, const std::vector<double>& levels) {
  const auto all = at::tensor(levels, v.options().requires_grad(false));
  const auto between = (all.slice(0, 1) + all.slice(0, 0, -1)) / 2;
  return all.index_select(0, at::bucketize(v.detach(), between).flatten()).view(v.sizes());
}

Tensor apot_weight(const Tensor& w, const Tensor& alpha) {
  // Two bits: -1, 0, 1; the gradient of weights is not clipped, that of alpha is.
  const auto held = alpha.detach();
  const auto u = (w - w.mean()) / w.std() / held;
  const auto level = nearest(u.detach().abs().clamp_max(1), {0, 1}) * side(u);
  const auto inside = u.detach().abs().le(1).to(u.scalar_type());
  return straight_through(u, level) * held + (alpha - held) * (level - u.detach() * inside);
}

Tensor apot_activation(const Tensor& x, const Tensor& alpha) {
  const auto v = (x / alpha).clamp(0, 1);
  return straight_through(v, nearest(v, {0, 0.25, 0.5, 1})) * alpha;
}

Tensor n2uq_activation(const Tensor& x, const Tensor& curve) {
  const auto part = [&](int64_t i) { return curve.select(0, i); };
  const auto z = x * part(4);
  auto begin = part(0), threshold = begin + part(1) / 2;
  Tensor soft, hard;
  for (int64_t i = 1; i <= 3; ++i) {
    const auto climbed = ((z - begin) / part(i)).clamp(0, 1);
    const auto passed = z.detach().ge(threshold.detach()).to(x.scalar_type());
    soft = soft.defined() ? soft + climbed : climbed;
    hard = hard.defined() ? hard + passed : passed;
    begin = begin + part(i);
    if (i < 3) threshold = threshold + (part(i) + part(i + 1)) / 2;
  }
  return straight_through(soft, hard) * (2 / kSteps) * part(5);
}

Tensor n2uq_weight(const Tensor& w) {
  const auto scale = channel_means(w) * (kSteps / 2);
  return mid_rise((w / scale).clamp(-1, 1)) * scale;
}

Tensor sign_polynomial(const Tensor& x) {
  const auto type = x.scalar_type();
  const auto below = x.lt(-1).to(type), negative = x.lt(0).to(type), inside = x.lt(1).to(type);
  const auto left = -below + (x * x + 2 * x) * (1 - below);
  const auto middle = left * negative + (-x * x + 2 * x) * (1 - negative);
  return straight_through(middle * inside + (1 - inside), side(x));
}

Tensor xnor_weight(const Tensor& w) {
  const auto centred = (w - w.mean(1, true)).detach().clamp(-1, 1);
  const auto alpha = channel_means(centred);
  auto value = straight_through(w, side(centred) * alpha);
  const double inputs = static_cast<double>(w.size(1)), filter = static_cast<double>(w.numel() / w.size(0));
  if (value.requires_grad()) {
    const auto mask = centred.abs().lt(1).to(w.scalar_type());
    value.register_hook([=](const Tensor& g) { return g * (alpha * mask + 1 / filter) * (1 - 1 / inputs); });
  }
  return value;
}

// Levels of two digits in order, thresholds between them; the new basis is computed as a step of training does.
Tensor lq_net(const Tensor& x, const Tensor& basis, Role role) {
  const bool weight = role == Role::weight;
  const auto held = x.detach();
  const auto rows = weight ? held.flatten(1) : held.reshape({1, -1});
  const auto v = basis.view({-1, 2});
  std::vector<Tensor> levels, digits;
  for (int code = 0; code < 4; ++code) {
    const auto digit = [&](int place) { return ((code >> place) & 1) != 0 ? 1.0 : (weight ? -1.0 : 0.0); };
    levels.push_back(v.select(1, 0) * digit(0) + v.select(1, 1) * digit(1));
    digits.push_back(at::tensor({digit(0), digit(1)}, x.options().requires_grad(false)));
  }
  const auto [sorted, order] = at::stack(levels, 1).sort(1);
  const auto table = at::stack(digits);
  auto value = sorted.select(1, 0).unsqueeze(1).expand_as(rows);
  auto first = table.index_select(0, order.select(1, 0)), b0 = first.select(1, 0).unsqueeze(1).expand_as(rows),
       b1 = first.select(1, 1).unsqueeze(1).expand_as(rows);
  for (int64_t i = 1; i < 4; ++i) {
    const auto above = rows.gt(((sorted.select(1, i - 1) + sorted.select(1, i)) / 2).unsqueeze(1));
    const auto own = table.index_select(0, order.select(1, i));
    value = at::where(above, sorted.select(1, i).unsqueeze(1), value);
    b0 = at::where(above, own.select(1, 0).unsqueeze(1), b0);
    b1 = at::where(above, own.select(1, 1).unsqueeze(1), b1);
  }
  const auto b = at::stack({b0, b1}, 1);  // [rows, 2, numbers]
  const auto products = b.matmul(b.transpose(1, 2)) + 1e-4 * at::eye(2, v.options());
  static_cast<void>(at::linalg_solve(products, b.matmul(rows.unsqueeze(2))));
  value = value.reshape(x.sizes());
  if (weight) return straight_through(x, value);
  return straight_through(at::minimum(x, sorted[0][3]), value);
}

Tensor pact(const Tensor& x, const Tensor& alpha) {
  const auto clipped = at::minimum(x.clamp_min(0), alpha);
  return rounded(clipped * (kSteps / alpha.detach())) * (alpha.detach() / kSteps);
}

Formula weight_formula(const std::string& method, Quantizer& fitted) {
  auto& learned = fitted.parameters();
  if (method.starts_with("dorefa") || method == "pact") return dorefa_weight;
  if (method == "sawb") return sawb_weight;
  if (method == "clip-lsq") return [&](const Tensor& w) { return clip_lsq_weight(w, learned.at("clip")); };
  if (method == "lsq" || method == "lsq+")
    return [&](const Tensor& w) { return lsq(w, learned.at("step"), {}, step_grid(Role::weight, 2)); };
  if (method == "qil")
    return [&](const Tensor& w) { return side(w) * interval(w.abs(), learned.at("centre"), learned.at("width"), 1); };
  if (method == "ewgs")
    return [&](const Tensor& w) {
      const auto q = ewgs(w, learned.at("low"), learned.at("high"), fitted.state().at("delta"));
      return (2 * q - 1) * learned.at("scale");
    };
  if (method == "apot") return [&](const Tensor& w) { return apot_weight(w, learned.at("alpha")); };
  if (method == "n2uq") return n2uq_weight;
  if (method == "fqn") return fqn_weight;
  if (method == "lq-net") return [&](const Tensor& w) { return lq_net(w, fitted.state().at("basis"), Role::weight); };
  if (method == "xnor") return xnor_weight;
  if (method == "bireal")
    return [](const Tensor& w) { return straight_through(w.clamp(-1, 1), side(w) * channel_means(w)); };
  if (method == "group-net") return [](const Tensor& w) { return straight_through(w, side(w)); };
  return {};
}

Formula activation_formula(const std::string& method, Quantizer& fitted) {
  auto& learned = fitted.parameters();
  if (method == "dorefa") return [](const Tensor& x) { return rounded(x.clamp(0, 1) * kSteps) / kSteps; };
  if (method == "dorefa-relu6-official") return [](const Tensor& x) { return rounded(at::relu6(x) * kSteps) / kSteps; };
  if (method == "dorefa-relu6-true")
    return [](const Tensor& x) { return rounded(at::relu6(x) * (kSteps / 6)) * (6 / kSteps); };
  if (method == "pact" || method == "sawb") return [&](const Tensor& x) { return pact(x, learned.at("alpha")); };
  if (method == "clip-lsq")
    return [&](const Tensor& x) {
      const auto& clip = learned.at("clip");
      return rounded((x / clip).clamp(0, 1) * kSteps) * clip / kSteps;
    };
  if (method == "lsq" || method == "lsq+")
    return [&](const Tensor& x) {
      const auto offset = learned.find("offset");
      return lsq(x, learned.at("step"), offset == learned.end() ? Tensor() : offset->second,
                 step_grid(Role::activation, 2));
    };
  if (method == "qil")
    return [&](const Tensor& x) { return interval(x, learned.at("centre"), learned.at("width"), kSteps); };
  if (method == "ewgs")
    return [&](const Tensor& x) { return ewgs(x, learned.at("low"), learned.at("high"), fitted.state().at("delta")); };
  if (method == "fqn") return fqn_activation;
  if (method == "apot") return [&](const Tensor& x) { return apot_activation(x, learned.at("alpha")); };
  if (method == "n2uq") return [&](const Tensor& x) { return n2uq_activation(x, learned.at("curve")); };
  if (method == "lq-net")
    return [&](const Tensor& x) { return lq_net(x, fitted.state().at("basis"), Role::activation); };
  if (method == "xnor") return [](const Tensor& x) { return straight_through(x.clamp(-1, 1), side(x)); };
  if (method == "bireal" || method == "group-net") return sign_polynomial;
  return {};
}

}  // namespace

Formula torch_formula(const std::string& method, Role role, Quantizer& fitted) {
  return role == Role::weight ? weight_formula(method, fitted) : activation_formula(method, fitted);
}

int torch_formula_bits(const std::string& method) {
  const auto* known = find_quantizer(method);
  return known->weight_bits.has(2) && known->activation_bits.has(2) ? 2 : 1;
}

}  // namespace auxbench
