#include "quantizers/sawb.h"

#include <map>

#include "quantizers/grid.h"
#include "quantizers/moments.h"
#include "quantizers/pact.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

struct Coefficients {
  double root_mean_square, mean_magnitude;
};

const std::map<int, Coefficients> kCoefficients = {
    {2, {3.12, -2.064}}, {3, {7.509, -6.892}}, {4, {12.68, -12.80}}, {5, {17.74, -18.64}}, {8, {31.76, -35.04}}};

class SawbWeight final : public Quantizer {
 public:
  SawbWeight(int bits, bool masked) : bits_(bits), steps_(steps_of(bits)), masked_(masked) {
    add_state("alpha", number(1));
    fit_to_first();
  }

  [[nodiscard]] int64_t levels() const override { return steps_ + 1; }

 protected:
  void fit(const at::Tensor& w) override { state().at("alpha").copy_(alpha_of(w)); }

  Codes do_encode(const at::Tensor& w, Phase phase) override {
    auto& alpha = state().at("alpha");
    if (phase == Phase::training && w.numel() > 0) {
      const at::NoGradGuard no_gradient;
      alpha.copy_(alpha_of(w));
    }
    const auto codes = encode_with<fake_quant::MidRise>(w, {.steps = static_cast<double>(steps_), .masked = masked_},
                                                        std::array<at::Tensor, 3>{alpha.clone(), {}, {}},
                                                        {.passes_gradient = !masked_});
    return scaled_codes(codes, positive_scale(alpha, static_cast<double>(steps_)), mid_rise(steps_));
  }

 private:
  [[nodiscard]] at::Tensor alpha_of(const at::Tensor& weight) const {
    const auto moments = moments_of(weight);
    const auto largest = moments.of(fake_quant::kLargest);
    const auto found = kCoefficients.find(bits_);
    if (found == kCoefficients.end()) return largest;
    const auto alpha = moments.of(fake_quant::kMeanSquare).sqrt().mul_(found->second.root_mean_square) +
                       moments.of(fake_quant::kMeanMagnitude) * found->second.mean_magnitude;
    return at::where(alpha.lt(0), largest, alpha);
  }

  int bits_;
  int64_t steps_;
  bool masked_;
};

}  // namespace

std::unique_ptr<Quantizer> make_sawb(Role role, int bits, const QuantizerSettings& settings) {
  if (role == Role::activation) return make_pact_activation(bits, settings);
  SettingsReader reader(settings, "SAWB");
  const bool masked = reader.flag("masked");
  reader.finish();
  return std::make_unique<SawbWeight>(bits, masked);
}

}  // namespace auxbench
