#include "quantizers/lsq.h"

#include <cmath>

#include "quantizers/grid.h"
#include "quantizers/reduce.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

class Lsq final : public Quantizer {
 public:
  Lsq(Role role, int bits, SettingsReader& reader)
      : role_(role),
        grid_(step_grid(role, bits)),
        excludes_batch_(reader.flag("n_excludes_batch")),
        gradient_scale_(reader.number("gradient_scale", 0)) {
    add_parameter("step", number(reader.number("step", 1)));
    if (!reader.has("step")) fit_to_first();
  }

  [[nodiscard]] int64_t levels() const override { return static_cast<int64_t>(grid_.hi - grid_.lo) + 1; }

 protected:
  void fit(const at::Tensor& x) override {
    parameters().at("step").detach().copy_(mean_of_parts(x.abs().mean(), x.numel()) * (2 / std::sqrt(grid_.hi)));
  }

  Codes do_encode(const at::Tensor& x, Phase) override {
    const auto& step = parameters().at("step");
    const auto codes = encode_with<fake_quant::Step>(x, grid_, std::array<at::Tensor, 2>{step, {}},
                                                     {.learned = 1, .gradient_scale = gradient_scale_of(x)});
    return scaled_codes(codes, positive_scale(step, 1), range_of(grid_));
  }

 private:
  [[nodiscard]] double gradient_scale_of(const at::Tensor& x) const {
    if (gradient_scale_ > 0 || x.numel() == 0) return gradient_scale_;
    const bool one_sample = excludes_batch_ && role_ == Role::activation && x.dim() > 1;
    const auto n = static_cast<double>(one_sample ? x.numel() / x.size(0) : x.numel());
    return 1 / std::sqrt(n * grid_.hi);
  }

  Role role_;
  fake_quant::StepConfig grid_;
  bool excludes_batch_;
  double gradient_scale_;
};

}  // namespace

std::unique_ptr<Quantizer> make_lsq(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "LSQ");
  auto made = std::make_unique<Lsq>(role, bits, reader);
  reader.finish();
  return made;
}

}  // namespace auxbench
