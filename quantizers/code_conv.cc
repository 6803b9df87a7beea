#include "quantizers/code_conv.h"

#include "quantizers/digits.h"
#include "quantizers/exact_conv.h"
#include "quantizers/fused.h"
#include "quantizers/packed_codes.h"
#include "quantizers/pointwise_conv.h"

namespace auxbench {
namespace {

using torch::autograd::variable_list;

int64_t largest_digit(const Codes& coded) { return coded.basis.defined() ? 1 : coded.range.largest(); }

// Output channels are the second dimension of what a convolution returns.
at::Tensor per_output(const at::Tensor& numbers) { return numbers.dim() == 0 ? numbers : numbers.view({1, -1, 1, 1}); }

at::Tensor exact_conv(const at::Tensor& a, const at::Tensor& w, const ConvGeometry& geometry, bool in_double) {
  const auto type = in_double ? at::kDouble : a.scalar_type();
  if (is_pointwise(a, w, geometry.padding, geometry.groups))
    return pointwise_sums(a.to(type), w.to(type), geometry.stride);
  return conv_of_whole_numbers(a.to(type), w.to(type), geometry.stride, geometry.padding, geometry.groups);
}

// Two whole numbers of at most `bound`, the second `shift` times as large, add up to one from which both can be read;
// float32 holds it while it stays below 2^24.
double shift_for(double bound) {
  double shift = 2;
  while (shift <= 2 * bound) shift *= 2;
  return shift;
}
bool pair_is_exact(double bound) { return (shift_for(bound) + 1) * bound <= kExactInFloat; }

// As many input channels as a pair's sums may be over. each: what one channel adds at most.
int64_t channels_at_once(int64_t channels, double each) {
  while (channels > 1 && !pair_is_exact(each * static_cast<double>(channels))) channels = (channels + 1) / 2;
  return channels;
}

// Codes as a convolution reads them: as they are, or one of their digits, or two (shift > 0).
struct Carrier {
  at::Tensor numbers;  // first digit + shift * second
  std::vector<at::Tensor> scales;
  double shift = 0;  // of two digits
};

std::vector<Carrier> carriers_of(const Codes& coded, double shift) {
  if (!coded.basis.defined()) return {{coded.codes, {coded.scale}}};
  std::vector<Carrier> carriers;
  const auto table = digit_table(coded.basis.size(-1), coded.signed_digits, coded.codes.options());
  const int64_t digits = table.size(1), step = shift > 0 ? 2 : 1;
  for (int64_t i = 0; i < digits; i += step) {
    const bool pair = step == 2 && i + 1 < digits;
    const auto numbers = pair ? table.select(1, i) + table.select(1, i + 1) * shift : table.select(1, i);
    Carrier carrier = {by_code(coded.codes, numbers), {coded.basis.select(-1, i)}};
    if (pair) {
      carrier.scales.push_back(coded.basis.select(-1, i + 1));
      carrier.shift = shift;
    }
    carriers.push_back(std::move(carrier));
  }
  return carriers;
}

// The sums of a carrier's first and second digit, a stretch of input channels at a time.
std::vector<at::Tensor> sums_of_pair(const Carrier& carrier, const at::Tensor& w, int64_t stretch,
                                     const ConvGeometry& geometry) {
  std::vector<at::Tensor> sums(2);
  for (int64_t from = 0; from < w.size(1); from += stretch) {
    const auto length = std::min(stretch, w.size(1) - from);
    auto both = exact_conv(carrier.numbers.narrow(1, from, length), w.narrow(1, from, length), geometry, false);
    const auto second = both.mul(1 / carrier.shift).round_();
    both.sub_(second, carrier.shift);
    sums[0] = sums[0].defined() ? sums[0].add_(both) : both;
    sums[1] = sums[1].defined() ? sums[1].add_(second) : second;
  }
  return sums;
}

at::Tensor convolve_exactly(const Codes& a, const Codes& w, const ConvGeometry& geometry) {
  const auto taps = static_cast<double>(w.codes.numel() / std::max<int64_t>(1, w.codes.size(0)));
  const auto largest_a = static_cast<double>(largest_digit(a)), largest_w = static_cast<double>(largest_digit(w));
  const bool in_double = taps * largest_a * largest_w > kExactInFloat;
  // A group of channels is not cut, so that digits go in pairs only where there is one group.
  const double each = largest_w * static_cast<double>(w.codes.size(2) * w.codes.size(3));
  const auto stretch = channels_at_once(w.codes.size(1), each);
  const double bound = each * static_cast<double>(stretch);
  const bool in_pairs = a.basis.defined() && geometry.groups == 1 && pair_is_exact(bound);
  const auto carriers = carriers_of(a, in_pairs ? shift_for(bound) : 0);
  at::Tensor y;
  for (const auto& digit : carriers_of(w, 0)) {
    for (const auto& carrier : carriers) {
      auto sums = carrier.shift > 0 ? sums_of_pair(carrier, digit.numbers, stretch, geometry)
                                    : std::vector{exact_conv(carrier.numbers, digit.numbers, geometry, in_double)};
      for (size_t i = 0; i < sums.size(); ++i) {
        sums[i].mul_(per_output(carrier.scales[i] * digit.scales[0]).to(sums[i].scalar_type()));
        y = y.defined() ? y.add_(sums[i]) : sums[i];
      }
    }
    if (!a.offset.defined()) continue;
    const auto valid = at::ones({1, a.codes.size(1), a.codes.size(2), a.codes.size(3)}, a.codes.options());
    const auto counted = exact_conv(valid, digit.numbers, geometry, in_double).to(a.codes.scalar_type());
    y = y.to(a.codes.scalar_type()).add_(counted * per_output(a.offset * digit.scales[0]));
  }
  return y.to(a.codes.scalar_type());
}

at::Tensor conv_of_values(const at::Tensor& a, const at::Tensor& w, const ConvGeometry& geometry) {
  if (is_pointwise(a, w, geometry.padding, geometry.groups)) return pointwise_conv(a, w, geometry.stride);
  return at::conv2d(a, w, {}, geometry.stride, geometry.padding, 1, geometry.groups);
}

class ExactSums final : public ConvBackend {
 public:
  [[nodiscard]] at::Tensor convolve(const Codes& a, const Codes& w, const ConvGeometry& geometry) const override {
    return convolve_exactly(a, w, geometry);
  }
};

class SumsOfTraining final : public ConvBackend {
 public:
  [[nodiscard]] at::Tensor convolve(const Codes& a, const Codes& w, const ConvGeometry& geometry) const override {
    if (!a.basis.defined() && !w.basis.defined()) return convolve_exactly(a, w, geometry);
    return at::conv2d(decode(a), decode(w), {}, geometry.stride, geometry.padding, 1, geometry.groups);
  }
};

// Numbers from which on codes on the CPU are packed: below it the memory is not worth two more passes over it.
constexpr int64_t kPackedFrom = int64_t{1} << 16;

// What autograd keeps of codes.
struct SavedCodes {
  PackedCodes codes;
  Codes rest;

  void save(const Codes& coded) {
    const bool as_they_are = coded.codes.is_cpu() && coded.codes.numel() < kPackedFrom;
    codes = PackedCodes(coded.codes, as_they_are ? CodeRange() : coded.range);
    rest = coded;
    rest.codes.reset();
    rest.edge.reset();
  }
  [[nodiscard]] Codes unpack() const {
    auto coded = rest;
    coded.codes = codes.unpack();
    return coded;
  }
};

torch::autograd::Edge edge_into(const at::Tensor& edge) {
  return edge.defined() ? torch::autograd::impl::gradient_edge(edge) : torch::autograd::Edge();
}

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
    if (is_pointwise(input, weight, geometry.padding, geometry.groups)) {
      auto [to_input, to_weight] = pointwise_gradients(g, input, weight, geometry.stride, task_should_compute_output(0),
                                                       task_should_compute_output(1));
      if (scaled_later && to_weight.defined()) to_weight.mul_(coded.scale);
      return {to_input, to_weight};
    }
    auto [to_a, to_w, to_bias] = at::convolution_backward(
        g, input, weight, c10::nullopt, {geometry.stride, geometry.stride}, {geometry.padding, geometry.padding},
        {1, 1}, false, {0, 0}, geometry.groups, {task_should_compute_output(0), task_should_compute_output(1), false});
    if (scaled_later && to_w.defined()) to_w.mul_(coded.scale);
    return {to_a, to_w};
  }

  void release_variables() override {
    a.codes.release();
    w.codes.release();
  }
};

}  // namespace

const ConvBackend& exact_sums() {
  static const ExactSums kBackend;
  return kBackend;
}

const ConvBackend& sums_of_training() {
  static const SumsOfTraining kBackend;
  return kBackend;
}

at::Tensor conv_on_codes(const Codes& a, const Codes& w, const ConvGeometry& geometry, const ConvBackend& backend) {
  AUXBENCH_CHECK(!w.offset.defined(), "weights without an offset");
  AUXBENCH_CHECK(!a.scale.defined() || a.scale.dim() == 0, "activations with one scale");
  if (a.is_plain() || w.is_plain()) return conv_of_values(decode(a), decode(w), geometry);
  at::Tensor y;
  {
    const at::NoGradGuard no_gradient;
    y = backend.convolve(a, w, geometry);
  }
  if (!at::GradMode::is_enabled() || !(a.edge.defined() || w.edge.defined())) return y;
  y = y.detach();  // no view of what a product wrote: scales are multiplied into it in place
  auto node = fused_detail::make_node<ConvNode>();
  node->a.save(a);
  node->w.save(w);
  node->geometry = geometry;
  node->add_next_edge(edge_into(a.edge));
  node->add_next_edge(edge_into(w.edge));
  torch::autograd::set_history(y, node);
  return y;
}

at::Tensor exact_conv_on_codes(const Codes& a, const Codes& w, const ConvGeometry& geometry) {
  if (!a.is_plain() && !w.is_plain()) return conv_on_codes(a, w, geometry);
  return exact_conv(decode(a), decode(w), geometry, /*in_double=*/true).to(a.codes.scalar_type());
}

}  // namespace auxbench
