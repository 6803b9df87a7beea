#include "quantizers/fqn.h"

#include "base/error.h"
#include "quantizers/grid.h"
#include "quantizers/observed_range.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

class FqnWeight final : public Quantizer {
 public:
  FqnWeight(int bits, bool per_channel) : bits_(bits), per_channel_(per_channel) {}

  [[nodiscard]] int64_t levels() const override { return int64_t{1} << bits_; }

 protected:
  Codes do_encode(const at::Tensor& w, Phase) override {
    const bool rows = per_channel_ && w.dim() > 1;
    const auto steps = steps_of(bits_);
    const auto grid = grid_of_weights(w.detach(), rows);
    auto found = encode_with<fake_quant::Step>(w, {.lo = 0, .hi = static_cast<double>(steps)},
                                               std::array{grid.scale, grid.offset}, {.by_row = rows});
    std::vector<int64_t> shape(rows ? static_cast<size_t>(w.dim()) : 0, 1);
    if (rows) shape[0] = w.size(0);
    found.codes.sub_(grid.zero.view(shape));
    return scaled_codes(found, grid.scale, {.first = -steps, .last = steps});
  }

 private:
  // Weights are the same in every process: nothing to put together.
  [[nodiscard]] RangeGrid grid_of_weights(const at::Tensor& w, bool rows) const {
    const at::NoGradGuard no_gradient;
    const auto flat = rows ? w.flatten(1) : w.reshape({1, -1});
    ObservedRange range;
    if (w.numel() > 0)
      range = {.low = flat.amin(1).clamp_max_(0), .high = flat.amax(1).clamp_min_(0)};
    else
      range = {.low = at::zeros({flat.size(0)}, w.options()), .high = at::zeros({flat.size(0)}, w.options())};
    if (!rows) range = {.low = range.low.squeeze(0), .high = range.high.squeeze(0)};
    return grid_of(range, Role::activation, bits_);
  }

  int bits_;
  bool per_channel_;
};

}  // namespace

std::unique_ptr<Quantizer> make_fqn(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "fqn");
  if (role == Role::weight) {
    const bool per_channel = reader.flag("per_channel", true);
    reader.finish();
    return std::make_unique<FqnWeight>(bits, per_channel);
  }
  const double gamma = reader.number("gamma", 0.999), batches = reader.number("batches", 20);
  reader.finish();
  if (!(gamma > 0.5 && gamma <= 1))
    throw UserError(ExitCode::usage, "fqn: gamma " + std::to_string(gamma) + " is not in (0.5, 1]");
  if (!(batches >= 1 && batches <= 1e9))
    throw UserError(ExitCode::usage, "fqn: batches " + std::to_string(batches) + " is not at least 1");
  const auto search = [gamma](const at::Tensor& rows) {
    return ObservedRange{.low = order_statistic(rows.neg(), gamma).neg().clamp_max_(0),
                         .high = order_statistic(rows, gamma).clamp_min(0)};
  };
  return make_calibrated_range(bits, search, static_cast<int64_t>(batches));
}

}  // namespace auxbench
