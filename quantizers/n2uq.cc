#include "quantizers/n2uq.h"

#include "quantizers/grid.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

class N2uqActivation final : public Quantizer {
 public:
  N2uqActivation(int bits, SettingsReader& reader) : bits_(bits), steps_(steps_of(bits)) {
    std::vector<double> curve = {reader.number("start", 0)};
    for (int64_t i = 0; i < steps_; ++i)
      curve.push_back(reader.number("interval_" + std::to_string(i), 2 / static_cast<double>(steps_)));
    curve.push_back(reader.number("input_scale", 1));
    curve.push_back(reader.number("output_scale", 1));
    add_parameter("curve", at::tensor(curve, at::kDouble));
  }

  [[nodiscard]] int64_t levels() const override { return steps_ + 1; }

 protected:
  Codes do_encode(const at::Tensor& x, Phase) override {
    const auto& curve = parameters().at("curve");
    const auto output_scale = curve.detach()[steps_ + 2];
    return scaled_codes(codes_of(x, curve), output_scale.mul(2 / static_cast<double>(steps_)), from_zero(steps_));
  }

 private:
  Encoded codes_of(const at::Tensor& x, const at::Tensor& curve) const {
    const FusedOptions options = {.learned = 1};
    const std::array parameters = {curve};
    switch (bits_) {
      case 1:
        return encode_with<fake_quant::Thresholds1>(x, {}, parameters, options);
      case 2:
        return encode_with<fake_quant::Thresholds2>(x, {}, parameters, options);
      case 3:
        return encode_with<fake_quant::Thresholds3>(x, {}, parameters, options);
      default:
        return encode_with<fake_quant::Thresholds4>(x, {}, parameters, options);
    }
  }

  int bits_;
  int64_t steps_;
};

class N2uqWeight final : public Quantizer {
 public:
  explicit N2uqWeight(int bits)
      : steps_(steps_of(bits)), gamma_(static_cast<double>(steps_) / static_cast<double>(int64_t{1} << (bits - 1))) {}

  [[nodiscard]] int64_t levels() const override { return steps_ + 1; }

 protected:
  Codes do_encode(const at::Tensor& w, Phase) override {
    const bool rows = w.dim() > 1 && w.numel() > 0;
    const auto mean = rows ? w.detach().abs().flatten(1).mean(1)
                           : (w.numel() > 0 ? w.detach().abs().mean() : at::ones({}, w.options()));
    const auto scale = mean.mul(gamma_).clamp_min_(1e-8);
    const auto codes = encode_with<fake_quant::MidRise>(w, {.steps = static_cast<double>(steps_)},
                                                        std::array<at::Tensor, 3>{scale, {}, {}}, {.by_row = rows});
    return scaled_codes(codes, scale / static_cast<double>(steps_), mid_rise(steps_));
  }

 private:
  int64_t steps_;
  double gamma_;
};

}  // namespace

std::unique_ptr<Quantizer> make_n2uq(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "N2UQ");
  std::unique_ptr<Quantizer> made;
  if (role == Role::weight)
    made = std::make_unique<N2uqWeight>(bits);
  else
    made = std::make_unique<N2uqActivation>(bits, reader);
  reader.finish();
  return made;
}

}  // namespace auxbench
