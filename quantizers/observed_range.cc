#include "quantizers/observed_range.h"

#include <optional>

#include "quantizers/grid.h"
#include "quantizers/reduce.h"

namespace auxbench {
namespace {

class RangeQuantizer final : public Quantizer {
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
  void fit(const at::Tensor& x) override { do_observe(x, true); }

  void do_observe(const at::Tensor& x, bool first) override {
    auto seen = search_(x.reshape({by_row(x) ? x.size(0) : 1, -1}));
    if (!by_row(x)) seen = {.low = seen.low.squeeze(0), .high = seen.high.squeeze(0)};
    auto &low = state().at("low"), &high = state().at("high");
    if (!first && average_ > 0)
      seen = {.low = low.mul(average_).add_(seen.low, 1 - average_),
              .high = high.mul(average_).add_(seen.high, 1 - average_)};
    else if (!first)
      seen = {.low = at::minimum(low, seen.low), .high = at::maximum(high, seen.high)};
    low.set_data(seen.low);
    high.set_data(seen.high);
    shifted_.reset();
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

 private:
  [[nodiscard]] bool by_row(const at::Tensor& x) const { return role_ == Role::weight && per_channel_ && x.dim() > 1; }

  Role role_;
  int bits_;
  RangeSearch search_;
  double average_;
  bool per_channel_;
  std::optional<bool> shifted_;  // whether the offset is not zero, once known
};

}  // namespace

RangeGrid grid_of(const ObservedRange& range, Role role, int bits) {
  const auto steps = static_cast<double>(steps_of(bits));
  if (role == Role::weight)
    return {.scale = positive_scale(at::maximum(range.low.neg(), range.high), steps / 2), .offset = {}};
  const auto scale = positive_scale(range.high - range.low, steps);
  return {.scale = scale, .offset = range.low.div(scale).neg_().round_().mul_(scale).neg_()};
}

ObservedRange full_range(const at::Tensor& rows) {
  return {.low = smallest_of_parts(rows.amin(1)).clamp_max(0), .high = largest_of_parts(rows.amax(1)).clamp_min(0)};
}

std::unique_ptr<Quantizer> make_observed_range(Role role, int bits, const RangeSearch& search, double average,
                                               SettingsReader& reader) {
  const bool per_channel = role == Role::weight && reader.flag("per_channel", true);
  if (role == Role::activation) average = reader.number("average", average);
  reader.finish();
  return std::make_unique<RangeQuantizer>(role, bits, search, average, per_channel);
}

}  // namespace auxbench
