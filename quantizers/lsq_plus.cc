#include "quantizers/lsq_plus.h"

#include <cmath>

#include "quantizers/best_range.h"
#include "quantizers/grid.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

class LsqPlus final : public Quantizer {
 public:
  LsqPlus(Role role, int bits, SettingsReader& reader)
      : role_(role), grid_(step_grid(role, bits)), gradient_scale_(reader.number("gradient_scale", 0)) {
    add_parameter("step", number(reader.number("step", 1)));
    if (role == Role::activation) add_parameter("offset", number(reader.number("offset", 0)));
    if (!reader.has("step")) fit_to_first();
  }

  [[nodiscard]] int64_t levels() const override { return static_cast<int64_t>(grid_.hi - grid_.lo) + 1; }

 protected:
  void fit(const at::Tensor& x) override {
    auto step = parameters().at("step").detach();
    if (role_ == Role::activation) {
      const auto range = best_range(x, grid_.hi);
      step.fill_((range.hi - range.lo) / grid_.hi);
      parameters().at("offset").detach().fill_(range.lo);
      return;
    }
    const double mean = x.mean().item<double>();
    const double spread = x.numel() > 1 ? 3 * x.std().item<double>() : 0;
    step.fill_(std::max(std::abs(mean - spread), std::abs(mean + spread)) / -grid_.lo);
  }

  Codes do_encode(const at::Tensor& x, Phase) override {
    const auto& step = parameters().at("step");
    const auto offset = role_ == Role::activation ? parameters().at("offset") : at::Tensor();
    const double scale =
        gradient_scale_ > 0 ? gradient_scale_ : 1 / std::sqrt(std::max(1.0, static_cast<double>(x.numel()) * grid_.hi));
    const auto codes =
        encode_with<fake_quant::Step>(x, grid_, std::array{step, offset}, {.learned = 2, .gradient_scale = scale});
    auto coded = scaled_codes(codes, positive_scale(step, 1), range_of(grid_));
    if (offset.defined()) coded.offset = offset.detach();
    return coded;
  }

 private:
  Role role_;
  fake_quant::StepConfig grid_;
  double gradient_scale_;
};

}  // namespace

std::unique_ptr<Quantizer> make_lsq_plus(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "LSQ+");
  auto made = std::make_unique<LsqPlus>(role, bits, reader);
  reader.finish();
  return made;
}

}  // namespace auxbench
