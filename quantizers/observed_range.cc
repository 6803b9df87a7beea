#include "quantizers/observed_range.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "quantizers/grid.h"
#include "quantizers/reduce.h"

namespace auxbench {
namespace {

class RangeQuantizer : public Quantizer {
 public:
  RangeQuantizer(Role role, int bits, RangeSearch search, double average, bool per_channel)
      : role_(role), bits_(bits), search_(std::move(search)), average_(average), per_channel_(per_channel) {
    add_state("low", number(0));
    add_state("high", number(1));
    fit_to_first();
  }

  [[nodiscard]] int64_t levels() const override { return int64_t{1} << bits_; }

  void allocate_state(const at::Tensor& x) override {
    if (!by_row(x)) return;
    for (auto& [name, bound] : state())
      if (bound.is_floating_point()) bound = bound.expand({x.size(0)}).clone();
  }

 protected:
  void fit(const at::Tensor& x) override { set_range(range_in(x)); }

  void do_observe(const at::Tensor& x, bool first) override {
    auto seen = range_in(x);
    const auto &low = state().at("low"), &high = state().at("high");
    if (!first && average_ > 0)
      seen = {.low = low.mul(average_).add_(seen.low, 1 - average_),
              .high = high.mul(average_).add_(seen.high, 1 - average_)};
    else if (!first)
      seen = {.low = at::minimum(low, seen.low), .high = at::maximum(high, seen.high)};
    set_range(seen);
  }

  Codes do_encode(const at::Tensor& x, Phase) override {
    const auto ends = step_grid(role_, bits_);
    auto grid = grid_of({.low = state().at("low"), .high = state().at("high")}, role_, bits_);
    // Where zero is the lowest level, as behind a ReLU, convolution needs no second sum for an offset.
    if (!shifted_) shifted_ = grid.offset.defined() && grid.offset.ne(0).any().item<bool>();
    if (!*shifted_) grid.offset.reset();
    const bool rows = grid.scale.dim() > 0;
    const auto codes = encode_with<fake_quant::Step>(x, ends, std::array{grid.scale, grid.offset}, {.by_row = rows});
    auto coded = scaled_codes(codes, grid.scale, range_of(ends));
    coded.offset = grid.offset;
    return coded;
  }

  [[nodiscard]] ObservedRange range_in(const at::Tensor& x) const {
    auto seen = search_(x.reshape({by_row(x) ? x.size(0) : 1, -1}));
    if (!by_row(x)) seen = {.low = seen.low.squeeze(0), .high = seen.high.squeeze(0)};
    return seen;
  }

  void set_range(const ObservedRange& range) {
    state().at("low").set_data(range.low);
    state().at("high").set_data(range.high);
    shifted_.reset();
  }

 private:
  [[nodiscard]] bool by_row(const at::Tensor& x) const { return role_ == Role::weight && per_channel_ && x.dim() > 1; }

  Role role_;
  int bits_;
  RangeSearch search_;
  double average_;
  bool per_channel_;
  std::optional<bool> shifted_;  // whether the offset is not zero, once known
};

class CalibratedRange final : public RangeQuantizer {
 public:
  CalibratedRange(int bits, RangeSearch search, int64_t batches)
      : RangeQuantizer(Role::activation, bits, std::move(search), 0, false), batches_(static_cast<double>(batches)) {
    add_state("seen", number(0));
  }

 protected:
  void do_observe(const at::Tensor& x, bool) override {
    auto& seen = state().at("seen");
    if (!seen_) seen_ = seen.item<double>();  // once: a device is not waited for at every step
    if (*seen_ >= batches_) return;
    auto range = range_in(x);
    if (*seen_ > 0) {
      const auto mean = [&](const at::Tensor& before, const at::Tensor& own) {
        return before.mul(*seen_).add_(own).div_(*seen_ + 1);
      };
      range = {.low = mean(state().at("low"), range.low), .high = mean(state().at("high"), range.high)};
    }
    set_range(range);
    seen.add_(1);
    *seen_ += 1;
  }

  Codes do_encode(const at::Tensor& x, Phase phase) override {
    if (phase == Phase::training && x.numel() > 0) {
      const at::NoGradGuard no_gradient;
      do_observe(x.detach(), false);
    }
    return RangeQuantizer::do_encode(x, phase);
  }

 private:
  double batches_;
  std::optional<double> seen_;  // the state of that name, once read
};

}  // namespace

RangeGrid grid_of(const ObservedRange& range, Role role, int bits) {
  const auto steps = static_cast<double>(steps_of(bits));
  if (role == Role::weight)
    return {.scale = positive_scale(at::maximum(range.low.neg(), range.high), steps / 2), .offset = {}, .zero = {}};
  const auto scale = positive_scale(range.high - range.low, steps);
  const auto zero = range.low.div(scale).neg_().round_();
  return {.scale = scale, .offset = zero.mul(scale).neg_(), .zero = zero};
}

ObservedRange full_range(const at::Tensor& rows) {
  return {.low = smallest_of_parts(rows.amin(1)).clamp_max(0), .high = largest_of_parts(rows.amax(1)).clamp_min(0)};
}

at::Tensor order_statistic(const at::Tensor& rows, double share) {
  const auto count = rows.size(1);
  const auto rank = std::clamp<int64_t>(std::llround(std::ceil(share * static_cast<double>(count))), 1, count);
  return mean_of_parts(std::get<0>(rows.kthvalue(rank, 1)), count);
}

std::unique_ptr<Quantizer> make_observed_range(Role role, int bits, const RangeSearch& search, double average,
                                               SettingsReader& reader) {
  const bool per_channel = role == Role::weight && reader.flag("per_channel", true);
  if (role == Role::activation) average = reader.number("average", average);
  reader.finish();
  return std::make_unique<RangeQuantizer>(role, bits, search, average, per_channel);
}

std::unique_ptr<Quantizer> make_calibrated_range(int bits, const RangeSearch& search, int64_t batches) {
  return std::make_unique<CalibratedRange>(bits, search, batches);
}

}  // namespace auxbench
