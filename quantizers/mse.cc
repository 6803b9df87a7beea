#include "quantizers/mse.h"

#include "base/torch_prelude.h"
#include "quantizers/grid.h"
#include "quantizers/observed_range.h"
#include "quantizers/reduce.h"

namespace auxbench {
namespace {

ObservedRange scaled(const ObservedRange& range, double factor) {
  return {.low = range.low * factor, .high = range.high * factor};
}

// The mean loss of each row on the grid of its range.
at::Tensor losses(const at::Tensor& rows, const ObservedRange& range, Role role, int bits, double power) {
  const auto ends = step_grid(role, bits);
  const auto grid = grid_of(range, role, bits);
  const auto found =
      encode_with<fake_quant::Step>(rows, ends, std::array{grid.scale, grid.offset}, {.by_row = rows.size(0) > 1});
  auto error = found.codes.mul_(grid.scale.unsqueeze(1));
  if (grid.offset.defined()) error.add_(grid.offset.unsqueeze(1));
  error.sub_(rows);
  return power == 2 ? error.square_().mean(1) : error.abs_().pow_(power).mean(1);
}

ObservedRange search(const at::Tensor& given, Role role, int bits, double power) {
  const auto rows = given.contiguous();
  const auto all = full_range(rows);
  const int candidates = rows.size(0) == 1 ? 95 : 80;
  std::vector<at::Tensor> tried;
  const auto factor_of = [](int i) { return 1 - 0.01 * i; };
  for (int i = 0; i < candidates; ++i) tried.push_back(losses(rows, scaled(all, factor_of(i)), role, bits, power));
  const auto loss = mean_of_parts(at::stack(tried), rows.size(1));
  auto best = at::ones_like(all.low), least = loss[0];
  for (int i = 1; i < candidates; ++i) {
    const auto better = loss[i].lt(least);
    best = at::where(better, at::full({}, factor_of(i), best.options()), best);
    least = at::where(better, loss[i], least);
  }
  return {.low = all.low * best, .high = all.high * best};
}

}  // namespace

std::unique_ptr<Quantizer> make_mse(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "mse");
  const double power = reader.number("power", 2);
  return make_observed_range(
      role, bits, [=](const at::Tensor& rows) { return search(rows, role, bits, power); }, 0.9, reader);
}

}  // namespace auxbench
