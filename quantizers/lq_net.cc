#include "quantizers/lq_net.h"

#include <cmath>

#include "quantizers/digits.h"
#include "quantizers/grid.h"
#include "quantizers/reduce.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

constexpr double kQuantile = 0.6745;  // of |x| for a standard normal x: its median
constexpr double kMomentum = 0.9;

class LqNet final : public Quantizer {
 public:
  LqNet(Role role, int bits, bool plain_average)
      : role_(role), bits_(bits), plain_average_(plain_average), levels_(int64_t{1} << bits) {
    add_state("basis", at::empty({0}));
    add_state("mean", at::empty({0}));
    add_state("updates", at::zeros({}, at::kDouble));
  }

  // The size of the state depends on the tensor: a layer calls this before it registers.
  void allocate_state(const at::Tensor& x) override {
    const bool weight = role_ == Role::weight;
    double start = kQuantile * 2 / static_cast<double>(levels_ - 1);
    if (weight) {
      const double fan_out = x.dim() > 1 ? static_cast<double>(x.size(0)) * area(x) : static_cast<double>(x.numel());
      start = kQuantile * std::sqrt(2 / std::max(1.0, fan_out)) / static_cast<double>(levels_ / 2);
    }
    auto one = at::empty({bits_}, at::kDouble);
    for (int64_t j = 0; j < bits_; ++j) one[j] = start * static_cast<double>(int64_t{1} << j);
    const auto basis = weight ? one.expand({rows_of(x), bits_}) : one;
    state().at("basis") = basis.to(x.options().requires_grad(false)).clone();
    state().at("mean") = at::zeros_like(state().at("basis"));
    shaped_ = true;
  }

  [[nodiscard]] int64_t levels() const override { return levels_; }

 protected:
  Codes do_encode(const at::Tensor& x, Phase phase) override {
    if (!shaped_) allocate_state(x);
    const bool weight = role_ == Role::weight;
    const auto used = state().at("basis").clone();
    if (!table_.defined() || table_.options().dtype() != used.dtype() || table_.device() != used.device())
      table_ = digit_table(bits_, weight, used.options());
    // All sums in order; per output channel for weights.
    const auto sums = used.matmul(table_.t());
    const auto [sorted, order] = sums.sort(-1);
    const auto thresholds = (sorted.slice(-1, 0, levels_ - 1) + sorted.slice(-1, 1, levels_)).div_(2).contiguous();
    const auto codes_in_order = order.to(x.scalar_type()).contiguous();
    const auto top = weight ? at::Tensor() : sorted[levels_ - 1].clone();
    const bool learns = phase == Phase::training && x.numel() > 0;
    at::Tensor statistics;
    const FusedOptions options = {
        .by_row = weight, .passes_gradient = weight, .statistics = learns ? &statistics : nullptr};
    const auto found = codes_of(as_rows(x), {thresholds, codes_in_order, top}, options);
    if (learns) update(x, statistics, order);
    return {.codes = found.codes.view_as(x),
            .basis = weight && x.dim() < 2 ? used[0] : used,
            .signed_digits = weight,
            .range = from_zero(levels_ - 1),
            .edge = found.edge.defined() ? found.edge.view_as(x) : found.edge};
  }

 private:
  static double area(const at::Tensor& w) {
    return static_cast<double>(w.numel()) / static_cast<double>(std::max<int64_t>(1, w.size(0) * w.size(1)));
  }
  // A flat tensor of weights is one channel.
  static int64_t rows_of(const at::Tensor& x) { return x.dim() > 1 ? x.size(0) : 1; }
  at::Tensor as_rows(const at::Tensor& x) const {
    return role_ == Role::weight && x.dim() < 2 ? x.reshape({1, -1}) : x;
  }

  Encoded codes_of(const at::Tensor& x, const std::array<at::Tensor, 3>& parameters, const FusedOptions& options) {
    switch (bits_) {
      case 1:
        return encode_with<fake_quant::LearnedLevels1>(x, {}, parameters, options);
      case 2:
        return encode_with<fake_quant::LearnedLevels2>(x, {}, parameters, options);
      case 3:
        return encode_with<fake_quant::LearnedLevels3>(x, {}, parameters, options);
      default:
        return encode_with<fake_quant::LearnedLevels4>(x, {}, parameters, options);
    }
  }

  // One step of QEM. statistics: for each piece the number and sum of x above each threshold, and the sum of all x.
  void update(const at::Tensor& x, const at::Tensor& statistics, const at::Tensor& order) {
    const at::NoGradGuard no_gradient;
    const bool weight = role_ == Role::weight;
    auto totals = statistics.to(at::kDouble);
    if (!weight) totals = sum_of_parts(totals.sum(0, /*keepdim=*/true));
    const auto rows = totals.size(0), thresholds = levels_ - 1;
    const auto above = totals.slice(1, 0, 2 * thresholds).view({rows, thresholds, 2});
    auto numbers =
        at::full({rows}, static_cast<double>(x.numel()) / static_cast<double>(rows_of_state()), totals.options());
    if (!weight) numbers = sum_of_parts(numbers);
    const auto all = at::stack({numbers, totals.select(1, 2 * thresholds)}, 1).unsqueeze(1);
    const auto none = at::zeros_like(all);
    const auto cumulative = at::cat({all, above, none}, 1);
    // Number and sum of x at each level, in order of the levels.
    const auto at_level = cumulative.slice(1, 0, levels_) - cumulative.slice(1, 1, levels_ + 1);
    const auto digits = table_.to(at::kDouble).index({order.view({rows, levels_})});  // [rows, levels, k]
    const auto counts = at_level.select(2, 0).unsqueeze(2), sums = at_level.select(2, 1).unsqueeze(2);
    auto products = digits.transpose(1, 2).matmul(digits * counts);
    auto projections = digits.transpose(1, 2).matmul(sums);
    const double ridge = weight ? 1e-4 : 1e-5;
    products.add_(at::eye(bits_, products.options()), ridge);
    auto& basis = state().at("basis");
    if (weight) projections.add_(basis.to(at::kDouble).view({rows, bits_, 1}), ridge);
    // The ridge keeps the system solvable; the checking solver would wait for the device.
    const auto found =
        std::get<0>(at::linalg_solve_ex(products, projections)).view(basis.sizes()).to(basis.scalar_type());
    average(basis, found);
  }

  [[nodiscard]] int64_t rows_of_state() { return role_ == Role::weight ? state().at("basis").size(0) : 1; }

  void average(at::Tensor& basis, const at::Tensor& found) {
    if (plain_average_) {
      basis.mul_(kMomentum).add_(found, 1 - kMomentum);
      return;
    }
    auto &mean = state().at("mean"), &updates = state().at("updates");
    updates.add_(1);
    mean.mul_(kMomentum).add_(found, 1 - kMomentum);
    basis.copy_(mean / (1 - updates.to(at::kDouble).mul(std::log(kMomentum)).exp_()).to(mean.scalar_type()));
  }

  Role role_;
  int64_t bits_;
  bool plain_average_;
  int64_t levels_;
  at::Tensor table_;  // digits of each code
  bool shaped_ = false;
};

}  // namespace

std::unique_ptr<Quantizer> make_lq_net(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "LQ-Nets");
  auto made = std::make_unique<LqNet>(role, bits, reader.flag("plain_average"));
  reader.finish();
  return made;
}

}  // namespace auxbench
